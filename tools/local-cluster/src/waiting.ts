import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '@ha-postgres/service-kit';

export interface Patience {
  /** What is waited for, for the error message. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Pause between two looks, in milliseconds. */
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks again and again until `look` answers something other than null, undefined or false.
 * @throws Error naming what was waited for, with the last error in `cause`, once the time has run out.
 */
export async function waitFor<T>(look: () => T | Promise<T>, patience: Patience): Promise<NonNullable<T>> {
  const { what, timeoutMs, everyMs = 50, signal } = patience;
  const deadline = monotonicNow() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const seen = await attempt(look);
    if (seen.ok && isThere(seen.value)) return seen.value;
    if (monotonicNow() >= deadline) {
      const why = seen.ok ? '' : `: ${(seen.error as Error).message}`;
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}${why}`, { cause: seen.ok ? undefined : seen.error });
    }
    await delay(everyMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

async function attempt<T>(look: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await look() };
  } catch (error) {
    return { ok: false, error };
  }
}

function isThere<T>(value: T): value is NonNullable<T> {
  return value !== null && value !== undefined && value !== false;
}
