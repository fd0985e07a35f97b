import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Clock, Millis } from './clock';

/** The connections of a client, kept open. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** One request as it goes over the wire. */
export interface Outgoing {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Scheme, host and port. */
  readonly baseUrl: string;
  readonly socketPath?: string | undefined;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly timeoutMs: Millis;
  readonly signal?: AbortSignal | undefined;
}

export interface Incoming {
  readonly status: number;
  readonly body: string;
  /** By its name in small letters; undefined where there is none, or several. */
  readonly header: (name: string) => string | undefined;
}

/** Sends one request and reads its answer to the end. @throws Unanswered when none came, whatever the reason; nothing else. */
export type Transport = (outgoing: Outgoing) => Promise<Incoming>;

export const ABORTED = 'aborted by the caller';

/** No whole answer came: the time limit, the caller's abort, or the connection. */
export class Unanswered extends Error {}

/**
 * Calls `cut` once, with the reason, when the time is over or the caller aborts; to be ended by the function it returns.
 * (AbortSignal.any would keep listeners on a long-lived signal.)
 */
export function limit(
  clock: Clock,
  { timeoutMs, signal }: Pick<Outgoing, 'timeoutMs' | 'signal'>,
  cut: (why: string) => void,
): () => void {
  const onAbort = (): void => cut(ABORTED);
  const timer = clock.schedule(timeoutMs, () => cut(`nothing within ${timeoutMs} ms`));
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  return () => {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  };
}
