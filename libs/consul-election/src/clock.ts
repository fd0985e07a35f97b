/** Milliseconds of CLOCK_MONOTONIC, which all processes of a machine share. Never wall-clock time. */
export type Millis = number;

/** A timer that can be taken back; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as a value, so that the same code runs against real time and against a virtual clock in a simulator. */
export interface Clock {
  /** Monotonic time of this machine, in milliseconds. */
  now(): Millis;
  /** Calls `fn` once, not before `ms` milliseconds from now. */
  schedule(ms: number, fn: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Number(process.hrtime.bigint()) / 1e6,
  schedule(ms, fn) {
    const timer = setTimeout(fn, Math.max(0, ms));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves after `ms`, or at once when `signal` is aborted; never rejects. The caller looks at the signal. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.schedule(ms, done);
    signal?.addEventListener('abort', done);
  });
}
