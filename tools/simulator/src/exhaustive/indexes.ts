import { copied } from './copied';
import type { Consul, Message, Node } from './state';

/** ModifyIndexes wherever a state has them. Only their order matters, so that they become ranks. */

interface Places<T> {
  /** Calls `map` with each index in a part, and puts what it returns in its place. */
  readonly visit: (part: T, map: (index: number) => number) => void;
}

function visitConsul({ master, members }: Consul, map: (index: number) => number): void {
  master.index = map(master.index);
  members.index = map(members.index);
}

function visitNode({ disk, controller }: Node, map: (index: number) => number): void {
  disk.highestIndex = map(disk.highestIndex);
  if (controller === null) return;
  const { master, members, reading, hold } = controller;
  if (master !== null) master.entry.index = map(master.entry.index);
  if (members !== null) members.index = map(members.index);
  if (reading !== null) reading.entry.index = map(reading.entry.index);
  controller.highestIndexSeen = map(controller.highestIndexSeen);
  if (hold !== null) hold.record.standingIndex = map(hold.record.standingIndex);
}

function visitMessage(message: Message, map: (index: number) => number): void {
  if (message.result?.committed === true) for (const entry of message.result.entries) entry.index = map(entry.index);
  if (message.kind === 'acquire') {
    message.decidedOn = map(message.decidedOn);
    message.members = map(message.members);
  }
  if (message.kind === 'release') message.own = map(message.own);
  if (message.kind === 'beat' && message.also !== null) message.also.over = map(message.also.over);
}

export const CONSUL_INDEXES: Places<Consul> = { visit: visitConsul };
export const NODE_INDEXES: Places<Node> = { visit: visitNode };
export const MESSAGE_INDEXES: Places<Message> = { visit: visitMessage };

/** Indexes of parts that do not change, and the same parts with other indexes: looked for once for each. */
export class Indexes<T extends object> {
  private readonly found = new WeakMap<T, readonly number[]>();
  private readonly changed = new WeakMap<T, Map<string, T>>();

  constructor(
    private readonly places: Places<T>,
    private readonly one: (part: T) => T,
  ) {}

  of(part: T): readonly number[] {
    const known = this.found.get(part);
    if (known !== undefined) return known;
    const indexes = new Set<number>();
    this.places.visit(copied(part), (index) => {
      indexes.add(index);
      return index;
    });
    const found = [...indexes];
    this.found.set(part, found);
    return found;
  }

  with(part: T, rankOf: (index: number) => number): T {
    const own = this.of(part);
    if (own.every((index) => rankOf(index) === index)) return part;
    const key = own.map(rankOf).join();
    const known = this.changed.get(part)?.get(key);
    if (known !== undefined) return known;
    const copy = copied(part);
    this.places.visit(copy, rankOf);
    const changed = this.one(copy);
    const all = this.changed.get(part) ?? new Map<string, T>();
    all.set(key, changed);
    this.changed.set(part, all);
    return changed;
  }
}
