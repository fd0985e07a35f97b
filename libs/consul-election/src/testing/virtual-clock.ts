import type { Clock, Millis, Timer } from '../clock';

interface Due {
  readonly at: Millis;
  readonly order: number;
  readonly fn: () => void;
}

/** Lets everything that waits for nothing but promises run to its end. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that passes only when told to. */
export class VirtualClock implements Clock {
  private time: Millis;
  private order = 0;
  private readonly due = new Set<Due>();

  constructor(startAt: Millis = 1000) {
    this.time = startAt;
  }

  now(): Millis {
    return this.time;
  }

  schedule(ms: number, fn: () => void): Timer {
    const entry = { at: this.time + Math.max(0, ms), order: this.order++, fn };
    this.due.add(entry);
    return { cancel: () => void this.due.delete(entry) };
  }

  /** Passes `ms` of time, one timer after the other in order, each with all that follows from it; `each` looks in between. */
  async advance(ms: number, each: () => void = () => undefined): Promise<void> {
    const until = this.time + ms;
    await settle();
    for (let next = this.next(until); next !== null; next = this.next(until)) {
      this.due.delete(next);
      this.time = next.at;
      next.fn();
      await settle();
      each();
    }
    this.time = until;
  }

  private next(until: Millis): Due | null {
    let first: Due | null = null;
    for (const entry of this.due)
      if (
        entry.at <= until &&
        (first === null || entry.at < first.at || (entry.at === first.at && entry.order < first.order))
      )
        first = entry;
    return first;
  }
}

/** A machine's clock that runs at another rate than the world's, and began elsewhere. */
export function driftingClock(world: Clock, rate: number, offsetMs: number): Clock {
  return {
    now: () => world.now() * rate + offsetMs,
    schedule: (ms, fn) => world.schedule(ms / rate, fn),
  };
}
