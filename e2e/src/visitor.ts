import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterFile } from '@ha-postgres/local-cluster';
import { query } from './client';

/** Where a new connection ended; `node` null: it was refused or broke. */
export interface Visit {
  readonly node: string | null;
  readonly isInRecovery: boolean;
}

const EVERY_MS = 5;

/** Where a new connection leads now. */
export type Look = () => Promise<Visit>;

/** Opens one connection after the other, and keeps where each led. */
export class Visitor {
  readonly visits: Visit[] = [];
  private readonly ended = new AbortController();
  private running: Promise<void> = Promise.resolve();

  private constructor(private readonly look: Look) {}

  /** Visits a port of a load balancer. */
  static start(cluster: ClusterFile, port: number): Visitor {
    return Visitor.looking(() => visitOf(cluster, port));
  }

  static looking(look: Look): Visitor {
    const visitor = new Visitor(look);
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
      this.visits.push(await this.look());
      await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function visitOf(cluster: ClusterFile, port: number): Promise<Visit> {
  const sql = 'SELECT inet_server_port() AS port, pg_is_in_recovery() AS recovery';
  const [row] = await query<{ port: number; recovery: boolean }>(cluster, port, sql).catch(() => []);
  const node = cluster.nodes.find(({ postgresPort }) => postgresPort === row?.port)?.name ?? null;
  return { node, isInRecovery: row?.recovery ?? false };
}

/** Whom a visitor met, in order; equal ones in a row once. */
export function inTurn(visits: readonly Visit[]): (string | null)[] {
  return visits.map(({ node }) => node).filter((node, index, all) => index === 0 || node !== all[index - 1]);
}
