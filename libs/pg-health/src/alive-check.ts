import { randomUUID } from 'node:crypto';
import type { ConnectionTarget } from './connection-target';
import { ServerFailure, type FailureKind } from './failure-kind';
import { monotonicMs } from './monotonic';
import { Probe, UnknownLogin, type Row } from './probe';
import { keyringOf } from './scram-connection';
import type { ScramKeyring } from './scram';
import { ServerConnection } from './server-connection';

export type AliveResult =
  | { readonly alive: true; readonly elapsedMs: number; readonly inRecovery: boolean }
  | { readonly alive: false; readonly elapsedMs: number; readonly failure: FailureKind; readonly message: string };

export interface AliveCheckOptions {
  /** For the network connection, the greeting and the authentication together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** For the query, in milliseconds. */
  readonly queryTimeoutMs: number;
}

/**
 * Asks whether a server is alive by a *new* connection each time, because an old one is served by its own process even
 * when the postmaster is frozen or dead. The query returns what was sent with it, so no answer can stand for another.
 * Any user that may log in will do.
 */
export class AliveCheck {
  readonly #target: ConnectionTarget;
  readonly #options: AliveCheckOptions;
  /** Null where node-postgres has to be asked: over TLS, and for any other login than SCRAM with a plain password. */
  #keyring: ScramKeyring | null;

  constructor(target: ConnectionTarget, options: AliveCheckOptions) {
    this.#target = target;
    this.#options = options;
    this.#keyring = (target.ssl ?? false) === false ? keyringOf(target) : null;
  }

  /**
   * Ends within both timeouts together, and leaves no socket behind, whatever the server does.
   * @throws the signal's reason when aborted, since that says nothing about the server; nothing else.
   */
  async run(signal?: AbortSignal): Promise<AliveResult> {
    const start = monotonicMs();
    try {
      const inRecovery = await this.#ask(signal);
      return { alive: true, elapsedMs: monotonicMs() - start, inRecovery };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ServerFailure)) throw error;
      return { alive: false, elapsedMs: monotonicMs() - start, failure: error.kind, message: error.message };
    }
  }

  async #ask(signal: AbortSignal | undefined): Promise<boolean> {
    const nonce = randomUUID();
    // Within the text: a parameter would be four messages more, and a UUID has nothing to escape.
    const [answered, inRecovery] = await this.#rowOf(
      `SELECT '${nonce}' AS nonce, pg_is_in_recovery()::text AS in_recovery`,
      signal,
    );
    if (answered !== nonce || (inRecovery !== 'true' && inRecovery !== 'false'))
      throw new ServerFailure('other', `the answer is not to our question: ${JSON.stringify([answered, inRecovery])}`);
    return inRecovery === 'true';
  }

  async #rowOf(sql: string, signal: AbortSignal | undefined): Promise<Row> {
    if (this.#keyring === null) return this.#rowByDriver(sql, signal);
    try {
      return await Probe.ask(this.#target, this.#keyring, sql, { ...this.#options, signal });
    } catch (error) {
      if (!(error instanceof UnknownLogin)) throw error;
      this.#keyring = null;
      return this.#rowByDriver(sql, signal);
    }
  }

  async #rowByDriver(sql: string, signal: AbortSignal | undefined): Promise<Row> {
    const { connectTimeoutMs, queryTimeoutMs } = this.#options;
    const connection = await ServerConnection.open(this.#target, {
      connectTimeoutMs,
      signal,
      statementTimeoutMs: queryTimeoutMs,
      // The query in flight tells the same.
      onLost: () => undefined,
    });
    try {
      const [row] = await connection.query<{ nonce: string; in_recovery: string }>(sql, [], queryTimeoutMs, signal);
      return row === undefined ? [] : [row.nonce, row.in_recovery];
    } finally {
      connection.close();
    }
  }
}
