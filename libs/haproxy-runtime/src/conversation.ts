import { connect, type Socket } from 'node:net';
import { ReplyReader } from './codec';
import { RuntimeError, type RuntimeErrorCode } from './errors';

/** Where HAProxy's Runtime API listens: TCP, or a unix socket's path. */
export type RuntimeAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export const describeAddress = (address: RuntimeAddress): string =>
  'path' in address ? address.path : `${address.host}:${address.port}`;

/** A conversation that broke: why, and the raw texts that had come. */
export interface Broken {
  readonly error: RuntimeError;
  readonly texts: readonly string[];
}

export interface ConversationLimits {
  /** For connecting and all answers together, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends `request` on a new connection and waits for `count` replies. Never rejects: a failure is a `Broken`. */
export function converse(
  address: RuntimeAddress,
  request: Buffer,
  count: number,
  { timeoutMs, signal }: ConversationLimits,
): Promise<readonly string[] | Broken> {
  return new Promise((resolve) => {
    const reader = new ReplyReader();
    const texts: string[] = [];
    const socket: Socket = connect({ ...address });

    const end = (outcome: readonly string[] | Broken): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      // An error may still come while the socket closes; nobody waits for it any more.
      socket.on('error', () => undefined);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (code: RuntimeErrorCode, what: string, cause?: unknown): void => {
      const answered = `${Math.min(texts.length, count)} of ${count} replies had come`;
      const message = `HAProxy at ${describeAddress(address)}: ${what} (${answered})`;
      end({ error: new RuntimeError(code, message, { cause }), texts });
    };
    const onAbort = (): void => fail('HAPROXY_ABORTED', 'aborted by the caller', signal?.reason);
    const timer = setTimeout(() => fail('HAPROXY_TIMEOUT', `not done within ${timeoutMs} ms`), timeoutMs);

    let isConnected = false;
    socket.setNoDelay(true);
    socket.on('connect', () => {
      isConnected = true;
      socket.write(request);
    });
    socket.on('data', (bytes: Buffer) => {
      texts.push(...reader.feed(bytes));
      if (texts.length >= count) end(texts);
    });
    socket.on('error', (error) => {
      if (isConnected) fail('HAPROXY_CLOSED', `connection broke: ${error.message}`, error);
      else fail('HAPROXY_UNREACHABLE', error.message, error);
    });
    socket.on('close', () => fail('HAPROXY_CLOSED', 'closed the connection'));
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
