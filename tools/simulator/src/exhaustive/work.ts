import { copied } from './copied';
import type { Message, Name, Node, World } from './state';

/** Above every index and number of a beat that a state holds, which are small: they are ranks. */
export const FRESH = 1000;

/**
 * What a node does by itself in one step. It depends on nothing but the node, the world and what is handed to it, and so is worked
 * out once for all states that have these in common; what it does to others is told here, and carried out for each.
 */
export class Work {
  readonly node: Node;
  readonly sent: Message[] = [];
  readonly opened: string[] = [];
  /** Sessions that Consul has said are gone now. */
  readonly ended: string[] = [];
  /** Sessions of holds that are over; whether they still held the lock is looked at. */
  readonly let: string[] = [];
  asksVotesFor: number | null = null;
  readonly notes: string[] = [];
  violation: string | null = null;

  constructor(
    readonly name: Name,
    from: Node,
    readonly world: World,
    /** How many nodes there are, and the highest term that may be acquired. */
    readonly bounds: Bounds,
  ) {
    this.node = copied(from);
  }

  note(text: string): void {
    this.notes.push(text);
  }

  readonly never = (what: string): void => {
    this.violation ??= what;
  };
}

export interface Bounds {
  readonly nodes: number;
  readonly termMax: number;
  readonly failsafe: boolean;
  /** Who is not tagged `noFailover`. */
  readonly candidates: readonly Name[];
  readonly secondFence: boolean;
  readonly idleSessions: boolean;
}
