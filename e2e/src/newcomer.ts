import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterFile } from '@ha-postgres/local-cluster';
import { connectTo } from './client';

/** Longer than any hold: who waits in vain is refused, and does not give up by itself. */
const PATIENCE_MS = 30_000;

/** A client that connects anew for each statement. */
export class Newcomer {
  /** Why a new connection was not to be had, each time; and when it was begun, by the wall clock. */
  readonly refusals: { readonly begunAt: number; readonly why: string }[] = [];
  /** Statements that broke on a connection that stood: whoever runs one while its Master leaves does not learn its end. */
  readonly broken: string[] = [];
  served = 0;
  private readonly ended = new AbortController();
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly cluster: ClusterFile,
    private readonly port: number,
  ) {}

  static start(cluster: ClusterFile, port: number): Newcomer {
    const newcomer = new Newcomer(cluster, port);
    newcomer.running = newcomer.keepComing();
    return newcomer;
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
  }

  private async keepComing(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      await this.come();
      await delay(1, undefined, { signal }).catch(() => undefined);
    }
  }

  private async come(): Promise<void> {
    const begunAt = Date.now();
    const connection = await connectTo(this.cluster, this.port, PATIENCE_MS).catch((error: unknown) => {
      this.refusals.push({ begunAt, why: String(error) });
      return null;
    });
    if (connection === null) return;
    try {
      await connection.client.query('SELECT 1');
      this.served += 1;
    } catch (error) {
      this.broken.push(String(error));
    } finally {
      connection.drop();
    }
  }
}
