import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterFile, OpenConnection } from '@ha-postgres/local-cluster';
import { connectTo, query } from './client';

const TABLE = 'writes';
/** A write that takes longer has failed. Long: how quick writes are is not judged here, but whether they are done. */
const TIMEOUT_MS = 10_000;

/** One write and what its client was told. */
export interface Write {
  readonly id: number;
  /** CLOCK_MONOTONIC in milliseconds, as `performance.now()` counts it. */
  readonly answeredAt: number;
  /** The node that acknowledged it; null: it was not acknowledged. */
  readonly node: string | null;
  /** Why not. */
  readonly error: string | null;
}

export interface WriterOptions {
  readonly port: number;
  /** Pause between two writes. */
  readonly everyMs: number;
  /** A connection for each write, as a client without a pool; else one that is opened again when it breaks. */
  readonly isFresh: boolean;
}

let lastId = 0;

/** Makes the table that every {@link Writer} of this process inserts into. */
export async function makeWritesTable(cluster: ClusterFile, port: number): Promise<void> {
  await query(cluster, port, `CREATE TABLE IF NOT EXISTS ${TABLE} (id bigint PRIMARY KEY)`);
}

/** The ids that stand in the table, read through a port. */
export async function idsBehind(cluster: ClusterFile, port: number): Promise<ReadonlySet<number>> {
  const rows = await query<{ id: string }>(cluster, port, `SELECT id FROM ${TABLE}`);
  return new Set(rows.map(({ id }) => Number(id)));
}

/** A client that inserts one row after the other and keeps what became of each. */
export class Writer {
  readonly writes: Write[] = [];
  private connection: OpenConnection | null = null;
  private running: Promise<void> = Promise.resolve();
  private readonly ended = new AbortController();

  private constructor(
    private readonly cluster: ClusterFile,
    private readonly options: WriterOptions,
  ) {}

  static start(cluster: ClusterFile, options: WriterOptions): Writer {
    const writer = new Writer(cluster, options);
    writer.running = writer.keepWriting();
    return writer;
  }

  /** Resolves when the last write has been answered or has failed. */
  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
    this.connection?.drop();
  }

  get acknowledged(): Write[] {
    return this.writes.filter(({ node }) => node !== null);
  }

  get failed(): Write[] {
    return this.writes.filter(({ node }) => node === null);
  }

  private async keepWriting(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      this.writes.push(await this.write());
      if (this.options.isFresh) this.connection?.drop();
      await delay(this.options.everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async write(): Promise<Write> {
    const id = ++lastId;
    try {
      const { client } = await this.connected();
      const { rows } = await client.query<{ port: number }>(
        `INSERT INTO ${TABLE} VALUES ($1) RETURNING inet_server_port() AS port`,
        [id],
      );
      return { id, answeredAt: performance.now(), node: this.nodeAt(rows[0]?.port), error: null };
    } catch (error) {
      this.connection?.drop();
      return { id, answeredAt: performance.now(), node: null, error: String(error) };
    }
  }

  private async connected(): Promise<OpenConnection> {
    if (this.connection?.isBroken() === false) return this.connection;
    this.connection = null;
    this.connection = await connectTo(this.cluster, this.options.port, TIMEOUT_MS);
    return this.connection;
  }

  private nodeAt(port: number | undefined): string {
    return this.cluster.nodes.find(({ postgresPort }) => postgresPort === port)?.name ?? `port ${port ?? 'unknown'}`;
  }
}
