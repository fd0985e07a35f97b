import type { ServerResponse } from 'node:http';

/** Says that whoever asked went away. An AbortSignal is one. */
export interface GoneSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** One for all: to make an error, with its stack, at the end of every answer would cost more than the answer. */
const GONE = new Error('the asker went away');

/**
 * Whether whoever asked went away before the answer was given. What an AbortController would be, at less expense: a long poll makes one
 * for each answer, several times a second.
 */
export class AskerGone implements GoneSignal {
  readonly reason = GONE;
  readonly #listeners = new Set<() => void>();
  #aborted = false;

  /** Of the client of a response. */
  static of(response: Pick<ServerResponse, 'once' | 'writableFinished'>): AskerGone {
    const gone = new AskerGone();
    response.once('close', () => {
      if (!response.writableFinished) gone.left();
    });
    return gone;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** It went away. */
  left(): void {
    this.#aborted = true;
    for (const listener of [...this.#listeners]) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }
}
