import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterFile } from '@ha-postgres/local-cluster';
import { query } from './client';

/** Where a new connection ended; `node` null: it was refused or broke. */
export interface Visit {
  readonly node: string | null;
  readonly isInRecovery: boolean;
}

const EVERY_MS = 5;

/** Opens one connection after the other to a port of a load balancer, and keeps where each led. */
export class Visitor {
  readonly visits: Visit[] = [];
  private readonly ended = new AbortController();
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly cluster: ClusterFile,
    private readonly port: number,
  ) {}

  static start(cluster: ClusterFile, port: number): Visitor {
    const visitor = new Visitor(cluster, port);
    visitor.running = visitor.keepVisiting();
    return visitor;
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
  }

  get arrivals(): Visit[] {
    return this.visits.filter(({ node }) => node !== null);
  }

  get refusals(): number {
    return this.visits.length - this.arrivals.length;
  }

  private async keepVisiting(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      this.visits.push(await this.visit());
      await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async visit(): Promise<Visit> {
    const sql = 'SELECT inet_server_port() AS port, pg_is_in_recovery() AS recovery';
    const [row] = await query<{ port: number; recovery: boolean }>(this.cluster, this.port, sql).catch(() => []);
    const node = this.cluster.nodes.find(({ postgresPort }) => postgresPort === row?.port)?.name ?? null;
    return { node, isInRecovery: row?.recovery ?? false };
  }
}
