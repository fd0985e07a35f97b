import { monotonicNow, pause } from '@ha-postgres/service-kit';
import { DatabaseError } from 'pg';
import { openConnection, type ConnectionPlace, type OpenConnection } from './connection';
import type { AcknowledgedWrite, Server, Write } from './history';
import type { Recorder } from './recorder';
import { commitsWaiting, insertWrite } from './writes-table';

export interface WriterOptions {
  /** Told in the history, in the table and to PostgreSQL. */
  readonly name: string;
  readonly place: ConnectionPlace;
  /** The node at `place`, past the load balancers; null: whoever the load balancer leads to. */
  readonly direct: string | null;
  /** From the beginning of one write to that of the next; what was missed while a write took longer is not made up for. */
  readonly everyMs: number;
  /** Connecting, and a write, have failed after this. */
  readonly timeoutMs: number;
  /** A connection for each write, as a client without a pool; else one that is opened again when it breaks. */
  readonly isFresh: boolean;
}

/** Commits that may wait for Replicas on behalf of one writer before it sends no more: each holds a connection of the server. */
const WAITING_MAX = 5;

/** A client that appends one unique id after the other and records what became of each. */
export class Writer {
  private connection: OpenConnection | null = null;
  private running: Promise<void> = Promise.resolve();
  private readonly ended = new AbortController();
  private readonly ids: number[] = [];
  private hasGivenUp = false;

  private constructor(
    private readonly recorder: Recorder,
    private readonly options: WriterOptions,
  ) {}

  static start(recorder: Recorder, options: WriterOptions): Writer {
    const writer = new Writer(recorder, options);
    writer.running = writer.keepWriting();
    return writer;
  }

  get name(): string {
    return this.options.name;
  }

  /** Resolves when the last write has been answered or has failed. */
  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
    this.connection?.drop();
  }

  /** Its own attempts that are over, in their order. */
  get writes(): Write[] {
    return this.ids.flatMap((id) => this.recorder.history.write(id) ?? []);
  }

  get acknowledged(): AcknowledgedWrite[] {
    return this.writes.filter((write): write is AcknowledgedWrite => write.acknowledgement !== null);
  }

  get failed(): Write[] {
    return this.writes.filter(({ failure }) => failure !== null);
  }

  private async keepWriting(): Promise<void> {
    const { signal } = this.ended;
    let due = monotonicNow();
    while (!signal.aborted) {
      await this.attempt();
      due = Math.max(due + this.options.everyMs, monotonicNow());
      await pause(due - monotonicNow(), signal);
    }
  }

  private async attempt(): Promise<void> {
    const { name: writer, direct } = this.options;
    const id = this.recorder.nextId();
    this.ids.push(id);
    let connection: OpenConnection;
    try {
      connection = await this.connected();
      if (this.hasGivenUp) await this.spareTheServer(connection);
    } catch (error) {
      this.recorder.failed({ id, writer, direct, isAmbiguous: false, why: `not sent: ${(error as Error).message}` });
      return;
    }
    this.recorder.sent({ id, writer, direct });
    try {
      const server = await this.insert(connection, id);
      this.recorder.acknowledged(id, server, connection.openedAt);
      if (this.options.isFresh) connection.drop();
    } catch (error) {
      const isAmbiguous = !isRefusal(error);
      this.recorder.failed({ id, writer, direct, isAmbiguous, why: (error as Error).message });
      this.hasGivenUp ||= isAmbiguous;
      // Behind a load balancer whoever refuses is not the Master; a node that is asked for itself stays the one to ask.
      if (isAmbiguous || direct === null || this.options.isFresh) connection.drop();
    }
  }

  /** @throws Error as `pg` reports it; a commit that PostgreSQL itself has doubts about is no acknowledgement. */
  private async insert({ client }: OpenConnection, id: number): Promise<Server> {
    const warnings: string[] = [];
    const note = ({ severity, message }: { severity?: string | undefined; message?: string | undefined }) => {
      if (severity === 'WARNING') warnings.push(message ?? 'a warning without a text');
    };
    client.on('notice', note);
    try {
      const server = await insertWrite(client, this.recorder.run, id, this.options.name);
      if (warnings.length > 0) throw new Error(`acknowledged with a warning: ${warnings.join(', ')}`);
      return server;
    } finally {
      client.removeListener('notice', note);
    }
  }

  private async connected(): Promise<OpenConnection> {
    if (this.connection?.isBroken() === false) return this.connection;
    this.connection?.drop();
    this.connection = null;
    const { place, timeoutMs } = this.options;
    this.connection = await openConnection({ ...place, applicationName: this.applicationName }, timeoutMs);
    return this.connection;
  }

  /** @throws Error while too many of this writer's commits wait, or if the server cannot be asked. */
  private async spareTheServer(connection: OpenConnection): Promise<void> {
    const waiting = await commitsWaiting(connection.client, this.applicationName).catch((error: unknown) => {
      connection.drop();
      throw error;
    });
    if (waiting >= WAITING_MAX) throw new Error(`${waiting} earlier commits still wait for their Replicas`);
    this.hasGivenUp = waiting > 0;
  }

  /** As PostgreSQL will show it, which cuts it off. */
  private get applicationName(): string {
    return `ha-postgres-checker ${this.recorder.run} ${this.options.name}`.slice(0, 63);
  }
}

/**
 * PostgreSQL said ERROR: the statement has had no effect. After FATAL, a timeout or a broken connection nobody knows:
 * a commit may have gone through before its answer was lost.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && error.severity === 'ERROR';
}
