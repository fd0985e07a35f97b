import { describeTarget, type ConnectionTarget, type Queryable, type QueryOptions } from './connection-target';
import { ServerFailure } from './failure-kind';
import { ServerConnection } from './server-connection';

export interface HeldConnectionOptions {
  /** For the network connection, the greeting and the authentication together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** For each query that names no limit of its own, in milliseconds, counted from when it is sent. */
  readonly queryTimeoutMs: number;
  /**
   * Called once for each opened connection that ends other than by `close`: at once when the server ends it (a dead
   * process closes its sockets), or when a query's time ran out. It may call `open` again; back-off is its own affair.
   */
  readonly onLost: (failure: ServerFailure) => void;
}

/** One connection that is kept, and whose loss is noticed at once. Queries run one after the other. */
export class HeldConnection implements Queryable {
  readonly #target: ConnectionTarget;
  readonly #options: HeldConnectionOptions;
  #connection: ServerConnection | undefined;
  #opening: Promise<void> | undefined;
  #abandonOpening = new AbortController();
  #lastQuery: Promise<unknown> = Promise.resolve();

  constructor(target: ConnectionTarget, options: HeldConnectionOptions) {
    this.#target = target;
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  /**
   * Opens the connection, or does nothing if it is open; may be called again after a loss or a failure.
   * @throws ServerFailure; the signal's reason when aborted.
   */
  async open(signal?: AbortSignal): Promise<void> {
    if (this.isOpen) return;
    this.#opening ??= this.#open(signal).finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  /**
   * Runs one query after those asked before, and gives its rows as node-postgres reads them.
   * @throws ServerFailure: `hung` beyond the time limit (the connection is lost then), `lost` if it is not open, and with
   * `sqlState` what PostgreSQL refuses.
   */
  async query<Row>(sql: string, params: readonly unknown[] = [], options: QueryOptions = {}): Promise<Row[]> {
    const connection = this.#connection;
    if (connection === undefined) {
      throw new ServerFailure('lost', `the connection to ${describeTarget(this.#target)} is not open`);
    }
    const timeoutMs = options.timeoutMs ?? this.#options.queryTimeoutMs;
    const answer = this.#lastQuery.then(() => connection.query<Row>(sql, params, timeoutMs));
    this.#lastQuery = answer.catch(() => undefined);
    return answer;
  }

  /** Lets go of the connection without waiting for the server. `onLost` is not called. */
  async close(): Promise<void> {
    this.#abandonOpening.abort(new ServerFailure('lost', 'closed while it was opened'));
    this.#abandonOpening = new AbortController();
    await this.#opening?.catch(() => undefined);
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #open(signal: AbortSignal | undefined): Promise<void> {
    const abandon = this.#abandonOpening.signal;
    const connection = await ServerConnection.open(this.#target, {
      connectTimeoutMs: this.#options.connectTimeoutMs,
      onLost: this.#options.onLost,
      signal: signal === undefined ? abandon : AbortSignal.any([signal, abandon]),
    });
    this.#lastQuery = Promise.resolve();
    this.#connection = connection;
  }
}
