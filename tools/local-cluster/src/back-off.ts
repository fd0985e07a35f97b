/** Pauses before restarts as Kubernetes makes them, only shorter: doubling from `firstMs` to `maxMs`, afresh after `resetMs` of life. */
export interface BackOffTimes {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly resetMs: number;
}

export const RESTART_TIMES: BackOffTimes = { firstMs: 300, maxMs: 5_000, resetMs: 10_000 };

/** The pause before the next start. `previousMs` is the pause before the last one (0: none), `livedMs` how long that one lived. */
export function nextPause(previousMs: number, livedMs: number, times: BackOffTimes = RESTART_TIMES): number {
  if (previousMs === 0 || livedMs >= times.resetMs) return times.firstMs;
  return Math.min(previousMs * 2, times.maxMs);
}
