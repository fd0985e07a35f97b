import type { Millis } from '@ha-postgres/service-kit';

const QUARTER_MS = 250;

/**
 * How long to wait until about `ms` from `now`: until the last full quarter of a second before that, so that what is done every half
 * second, every second and every five is done at one moment, and the process sleeps in between. Most of what a look costs is to wake
 * up for it: done alone, with cold caches, a request takes three times of what it takes behind another. Never longer than `ms`; what
 * comes oftener than twice in a quarter keeps its own pace.
 */
export function untilTogether(now: Millis, ms: Millis): Millis {
  if (ms < 2 * QUARTER_MS) return ms;
  const due = now + ms;
  return due - (due % QUARTER_MS) - now;
}
