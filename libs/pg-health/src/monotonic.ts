/** The monotonic clock, in milliseconds. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Time as a value: this machine's, or a simulated one's. */
export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Calls `fn` once, not before `ms` milliseconds from now. */
  schedule(ms: number, fn: () => void): { cancel(): void };
}

export const systemClock: Clock = {
  now: monotonicMs,
  schedule(ms, fn) {
    const timer = setTimeout(fn, Math.max(0, ms));
    return { cancel: () => clearTimeout(timer) };
  },
};
