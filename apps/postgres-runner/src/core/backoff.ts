import type { Millis } from '@ha-postgres/service-kit';

/** Doubling delays between two bounds: nothing that fails is tried in a hot loop. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** How often it failed in a row, and when it may be tried again (a moment of the monotonic clock). */
export interface Backoff {
  readonly failures: number;
  readonly retryAt: Millis;
}

export const NO_FAILURE: Backoff = { failures: 0, retryAt: 0 };

/** Restarts of a standby that ended unasked. */
export const RESTART: BackoffPolicy = { firstMs: 200, lastMs: 5_000 };
/** Initialising, cloning and wiping that failed. */
export const RETRY: BackoffPolicy = { firstMs: 500, lastMs: 10_000 };

/** Copies that turned out to be of no use: each reads the whole of the Master's data. */
export const COPY_AGAIN: BackoffPolicy = { firstMs: 1_000, lastMs: 300_000 };

/** The delay after `failures` failures in a row, in milliseconds. */
export function delayAfter(failures: number, { firstMs, lastMs }: BackoffPolicy): number {
  return failures < 1 ? 0 : Math.min(lastMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

export function failed(backoff: Backoff, now: Millis, policy: BackoffPolicy): Backoff {
  const failures = backoff.failures + 1;
  return { failures, retryAt: now + delayAfter(failures, policy) };
}
