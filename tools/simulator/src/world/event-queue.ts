import type { Timer } from '@ha-postgres/service-kit';

/** Something that happens at a moment of the world's time. */
export class Event implements Timer {
  cancelled = false;

  constructor(
    readonly at: number,
    /** Of two at the same moment, the one that was planned first happens first. */
    readonly order: number,
    public run: () => void,
  ) {}

  cancel(): void {
    this.cancelled = true;
    // It lies in the queue for a while: what it would have done must not be kept alive so long.
    this.run = NOTHING;
  }
}

const NOTHING = (): void => undefined;

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** So few are never worth looking through. */
const SPARED = 256;

/** Events by time, and of the same time in the order in which they were added: a binary heap. */
export class EventQueue {
  private heap: Event[] = [];
  /** With more than so many it is looked through for those that were cancelled. */
  private sizeMax = SPARED;

  get size(): number {
    return this.heap.length;
  }

  add(event: Event): void {
    if (this.heap.length >= this.sizeMax) this.dropCancelled();
    const { heap } = this;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  /** The next event that was not cancelled, up to `until`; taken out. */
  take(until: number): Event | null {
    for (;;) {
      const first = this.heap[0];
      if (first === undefined || (first.at > until && !first.cancelled)) return null;
      this.removeFirst();
      if (!first.cancelled) return first;
    }
  }

  /** Most limits of time are cancelled long before they are over: kept, they are most of what lies here. */
  private dropCancelled(): void {
    this.heap = this.heap.filter(({ cancelled }) => !cancelled);
    const { length } = this.heap;
    this.sizeMax = Math.max(SPARED, 2 * length);
    for (let at = (length >> 1) - 1; at >= 0; at -= 1) {
      const event = this.heap[at];
      if (event !== undefined) this.sink(event, at);
    }
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last !== undefined && this.heap.length > 0) this.sink(last, 0);
  }

  /** Puts an event there or further down, where all below come later. */
  private sink(event: Event, from: number): void {
    const { heap } = this;
    const { length } = heap;
    let at = from;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= length) break;
      let child = heap[down];
      const right = heap[down + 1];
      if (child === undefined) break;
      if (right !== undefined && down + 1 < length && isBefore(right, child)) {
        child = right;
        down += 1;
      }
      if (!isBefore(child, event)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = event;
  }
}
