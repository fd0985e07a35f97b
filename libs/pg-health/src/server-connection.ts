import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import { describeTarget, type ConnectionTarget } from './connection-target';
import { ServerFailure } from './failure-kind';
import { outOfTime, toFailure } from './failures';
import { ScramConnection } from './scram-connection';

/** How long a keepalive probe waits on an idle connection; Node then probes every second, ten times. */
const KEEP_ALIVE_AFTER_MS = 1000;

export interface OpenOptions {
  /** For the network connection, the greeting and the authentication together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Called once, when the connection ends without `close` or `destroy`; not for one that never opened. */
  readonly onLost: (failure: ServerFailure) => void;
  readonly signal?: AbortSignal | undefined;
  /** PostgreSQL's own limit for each statement, so that an abandoned one does not hold a session for ever. */
  readonly statementTimeoutMs?: number;
}

/**
 * One connection whose socket is ours, so that it can be destroyed at any moment: a frozen server answers neither a
 * query nor a polite goodbye, and must leave neither a waiting promise nor a socket behind.
 */
export class ServerConnection {
  readonly #target: ConnectionTarget;
  readonly #client: Client;
  readonly #socket = new Socket();
  readonly #onLost: (failure: ServerFailure) => void;
  #phase: 'opening' | 'open' | 'ended' = 'opening';
  #reachedHost = false;

  private constructor(target: ConnectionTarget, options: OpenOptions) {
    this.#target = target;
    this.#onLost = options.onLost;
    this.#socket.once('connect', () => (this.#reachedHost = true));
    this.#client = new Client(clientConfig(target, this.#socket, options.statementTimeoutMs));
    // Without a listener node-postgres' 'error' event would end the process.
    this.#client.on('error', (error) => this.#endByItself(error));
    this.#client.on('end', () => this.#endByItself(new Error('Connection terminated unexpectedly')));
  }

  /** @throws ServerFailure; the signal's reason when aborted. Nothing is left open then. */
  static async open(target: ConnectionTarget, options: OpenOptions): Promise<ServerConnection> {
    options.signal?.throwIfAborted();
    const connection = new ServerConnection(target, options);
    try {
      await connection.#bounded(connection.#client.connect(), options.connectTimeoutMs, 'connect', options.signal);
      connection.#phase = 'open';
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /**
   * Sends one query; one at a time. Beyond the time limit the connection is destroyed and counts as lost, since an
   * answer that comes later could not be told from the next one's.
   * @throws ServerFailure; the signal's reason when aborted (the connection is destroyed then).
   */
  async query<Row>(sql: string, params: readonly unknown[], timeoutMs: number, signal?: AbortSignal): Promise<Row[]> {
    if (!this.isOpen) throw new ServerFailure('lost', `the connection to ${describeTarget(this.#target)} is closed`);
    signal?.throwIfAborted();
    const { rows } = await this.#bounded(this.#client.query(sql, [...params]), timeoutMs, 'query', signal);
    return rows as Row[];
  }

  /** Says goodbye and lets go, without waiting for an answer. */
  close(): void {
    if (this.#phase !== 'open') {
      this.destroy();
      return;
    }
    this.#phase = 'ended';
    void this.#client.end();
    // Half-closing alone would wait for a frozen server's FIN; this destroys the socket once the goodbye is sent.
    const { stream } = this.#client.connection;
    if (stream instanceof Socket) stream.destroySoon();
    else stream.destroy();
  }

  destroy(): void {
    this.#phase = 'ended';
    this.#client.connection.stream.destroy();
    this.#socket.destroy();
  }

  #endByItself(error: unknown): void {
    if (this.#phase !== 'open') return;
    this.destroy();
    this.#onLost(toFailure(this.#target, error));
  }

  async #bounded<T>(work: Promise<T>, timeoutMs: number, doing: string, signal?: AbortSignal): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const cutShort = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(this.#outOfTime(doing, timeoutMs)), timeoutMs);
      onAbort = () => {
        this.destroy();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([work, cutShort]);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw toFailure(this.#target, error);
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      // When cut short, the work is rejected by the destroyed socket, or never.
      work.catch(() => undefined);
    }
  }

  #outOfTime(doing: string, timeoutMs: number): ServerFailure {
    const failure = outOfTime(this.#target, doing, timeoutMs, this.#reachedHost);
    const wasOpen = this.isOpen;
    this.destroy();
    if (wasOpen) this.#onLost(failure);
    return failure;
  }
}

/** `connection` is how node-postgres lets its own be replaced; its types do not say so. */
function clientConfig(
  target: ConnectionTarget,
  socket: Socket,
  statementTimeoutMs: number | undefined,
): ClientConfig & { readonly connection: ScramConnection } {
  const ssl = typeof target.ssl === 'object' ? { ...target.ssl } : (target.ssl ?? false);
  const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS };
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    // A function: node-postgres looks at PGPASSWORD and .pgpass in place of an empty text.
    password: () => target.password ?? '',
    database: target.database,
    application_name: target.applicationName ?? 'pg-health',
    ssl,
    connection: new ScramConnection(target, { ssl, stream: () => socket, ...keepAlive }),
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
  };
}
