import type { Clock, Timer } from '@ha-postgres/service-kit';
import { Event, EventQueue } from './event-queue';
import { Random } from './random';

/** So many events at one moment are a loop. */
const STEPS_MAX = 10_000;
/**
 * The shortest time that anything takes which takes any: whoever waits for the rest of a time, and gets up for want of digits a trillionth
 * of a millisecond before, would wait again, and again, and no time pass.
 */
const TICK_MS = 1e-6;

/** Before a run takes it away from the code that it judges. */
const later = setImmediate;

/**
 * Until none is left that can be settled, as between two turns of Node's own loop. It has no other name: to begin a turn for each event costs a
 * tenth of a run.
 */
const settlePromises = (process as unknown as { readonly _tickCallback: () => void })._tickCallback;

/** What a run must not do. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
  readonly at: number;
}

/** One simulated world: its time, its chance, and what happens next. Nothing in it looks at the time of this machine. */
export class World implements Clock {
  readonly random: Random;
  readonly violations: Violation[] = [];
  private readonly queue = new EventQueue();
  private time = 0;
  private order = 0;
  private steps = 0;
  private stepsNow = 0;
  private isStopped = false;

  constructor(
    readonly seed: number,
    /** Takes the lines of a transcript; null: none is written. */
    private readonly transcript: ((line: string) => void) | null = null,
  ) {
    this.random = new Random(seed);
  }

  get isTraced(): boolean {
    return this.transcript !== null;
  }

  /** How many events have happened. */
  get stepCount(): number {
    return this.steps;
  }

  now(): number {
    return this.time;
  }

  schedule(ms: number, run: () => void): Timer {
    const event = new Event(this.time + (ms > 0 ? Math.max(TICK_MS, ms) : 0), this.order, run);
    this.order += 1;
    this.queue.add(event);
    return event;
  }

  /** A line of the transcript. The text is made only if one is written. */
  tell(who: string, what: () => string): void {
    if (this.transcript === null) return;
    this.transcript(`${(this.time / 1000).toFixed(4).padStart(9)} ${who.padEnd(8)} ${what()}`);
  }

  violated(invariant: string, what: string): void {
    this.tell('!!', () => `${invariant}: ${what}`);
    this.violations.push({ invariant, what, at: this.time });
    this.isStopped = true;
  }

  /** Lets the events up to `until` happen, each with all that follows from it in promises; ends at a violation. */
  runUntil(until: number): Promise<void> {
    return new Promise((resolve) => {
      // Not within whatever promise it was called from: what was begun before settles first.
      later(() => {
        do settlePromises();
        while (this.happens(until));
        resolve();
      });
    });
  }

  /** The next event up to `until`; false: there is none, or there was a violation. */
  private happens(until: number): boolean {
    try {
      const event = this.isStopped ? null : this.queue.take(until);
      if (event === null) {
        if (!this.isStopped) this.time = Math.max(this.time, until);
        return false;
      }
      this.stepsNow = event.at > this.time ? 0 : this.stepsNow + 1;
      if (this.stepsNow > STEPS_MAX) throw new Error('time stands still');
      this.time = event.at;
      this.steps += 1;
      event.run();
    } catch (error) {
      // Of the code that is judged, or of a model that it has brought to where no real thing can come.
      this.violated('nothing breaks that is not told of', error instanceof Error ? error.message : String(error));
    }
    return true;
  }
}
