import { monotonicNow } from '@ha-postgres/service-kit';

const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;
const FORGIVEN_AFTER_MS = 600_000;

/** How long the kubelet waits before it starts a container again: not at all at first, then ever longer. */
export class BackOff {
  #next = 0;
  #startedAt = 0;

  started(): void {
    this.#startedAt = monotonicNow();
  }

  /** Milliseconds to wait after the container has ended. */
  wait(): number {
    if (monotonicNow() - this.#startedAt >= FORGIVEN_AFTER_MS) this.#next = 0;
    const wait = this.#next;
    this.#next = Math.min(LONGEST_MS, Math.max(FIRST_MS, 2 * wait));
    return wait;
  }
}
