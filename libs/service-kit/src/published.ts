import type { GoneSignal } from './asker-gone';
import { systemClock, type Clock } from './clock';

/** A value that changes, and those who wait for it to change (long polls). */
export class Published<T extends { readonly index: number }> {
  #current: T;
  readonly #waiting = new Set<(current: T) => void>();
  readonly #clock: Clock;

  constructor(initial: T, clock: Clock = systemClock) {
    this.#current = initial;
    this.#clock = clock;
  }

  get current(): T {
    return this.#current;
  }

  /** How many wait at present. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Makes `next` the current value and answers all who wait for an index other than its own. */
  publish(next: T): void {
    const hasMoved = next.index !== this.#current.index;
    this.#current = next;
    if (hasMoved) for (const answer of [...this.#waiting]) answer(next);
  }

  /**
   * The current value as soon as its index is not `index`, at the latest after `waitMs`. An index *below* the asked one
   * answers at once too: whoever published started over, and the asker must not wait for a past that will not return.
   * An asker therefore asks next with the index it was answered, not with the highest it has seen.
   * @throws the signal's reason if it is aborted first (the asker went away).
   */
  async waitBeyond(index: number, waitMs: number, signal?: GoneSignal): Promise<T> {
    if (signal?.aborted === true) throw reasonOf(signal);
    if (this.#current.index !== index || waitMs <= 0) return this.#current;
    return await new Promise<T>((resolve, reject) => {
      const done = (): void => {
        timer.cancel();
        this.#waiting.delete(answer);
        signal?.removeEventListener('abort', abort);
      };
      const answer = (current: T): void => {
        done();
        resolve(current);
      };
      const abort = (): void => {
        done();
        reject(reasonOf(signal));
      };
      const timer = this.#clock.schedule(waitMs, () => answer(this.#current));
      this.#waiting.add(answer);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

function reasonOf(signal: GoneSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('aborted');
}
