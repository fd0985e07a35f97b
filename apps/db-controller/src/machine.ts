import { bootId, monotonicNow, pause, systemClock, type Clock, type Millis } from '@ha-postgres/service-kit';

/** Time as a controller needs it. */
export interface MachineClock extends Clock {
  /** Wall-clock time: for jumps, and for people. It never gives a right. */
  wallNow(): Millis;
  /** Calls `fn` after all that happens in this turn of the event loop. */
  soon(fn: () => void): void;
  /** Resolves after `ms`, or as soon as `signal` is aborted; never rejects. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Time, chance and identity of the machine, as values: the simulator runs the same controller on machines of its own. */
export interface Machine {
  readonly clock: MachineClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly bootId: string;
}

export function thisMachine(): Machine {
  return {
    clock: {
      ...systemClock,
      now: monotonicNow,
      wallNow: () => Date.now(),
      soon: (fn) => void setImmediate(fn),
      pause: (ms, signal) => pause(ms, signal),
    },
    random: () => Math.random(),
    bootId: bootId(),
  };
}
