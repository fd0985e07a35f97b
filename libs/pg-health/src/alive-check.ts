import { randomUUID } from 'node:crypto';
import type { ConnectionTarget } from './connection-target';
import { ServerFailure, type FailureKind } from './failure-kind';
import { monotonicMs } from './monotonic';
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

interface Answer {
  readonly nonce: string;
  readonly in_recovery: boolean;
}

/**
 * Asks whether a server is alive by a *new* connection each time, because an old one is served by its own process even
 * when the postmaster is frozen or dead. The query returns what was sent with it, so no answer can stand for another.
 * Any user that may log in will do.
 */
export class AliveCheck {
  readonly #target: ConnectionTarget;
  readonly #options: AliveCheckOptions;

  constructor(target: ConnectionTarget, options: AliveCheckOptions) {
    this.#target = target;
    this.#options = options;
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
    const { connectTimeoutMs, queryTimeoutMs } = this.#options;
    const connection = await ServerConnection.open(this.#target, {
      connectTimeoutMs,
      signal,
      statementTimeoutMs: queryTimeoutMs,
      // The query in flight tells the same.
      onLost: () => undefined,
    });
    try {
      const nonce = randomUUID();
      // Within the text: a parameter would be four messages more, and a UUID has nothing to escape.
      const sql = `SELECT '${nonce}' AS nonce, pg_is_in_recovery() AS in_recovery`;
      const [answer] = await connection.query<Answer>(sql, [], queryTimeoutMs, signal);
      if (answer?.nonce !== nonce)
        throw new ServerFailure('other', `the answer is not to our question: ${JSON.stringify(answer)}`);
      return answer.in_recovery;
    } finally {
      connection.close();
    }
  }
}
