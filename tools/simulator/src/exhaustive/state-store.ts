import type { AllParts } from './normalise';
import type { State } from './state';

const COLUMNS = 6;

/** All states that were seen, each once and exactly (no hash is taken for a state): six numbers, one for each of its parts. */
export class StateStore {
  private rows = new Int32Array(COLUMNS * 1024);
  /** Which state was stepped from, and by which of its events. */
  private from = new Int32Array(2 * 1024);
  private slots = new Int32Array(4096).fill(-1);
  private count = 0;
  private readonly row = new Int32Array(COLUMNS);

  constructor(private readonly parts: AllParts) {}

  get size(): number {
    return this.count;
  }

  /** True if it is new. */
  add(state: State, parent: number, event: number): boolean {
    const { node, consul, messages, world } = this.parts;
    this.row.fill(-1);
    state.nodes.forEach((part, i) => (this.row[i] = node.idOf(part)));
    this.row[3] = consul.idOf(state.consul);
    this.row[4] = messages.idOf(state.messages);
    this.row[5] = world.idOf(state.world);
    const slot = this.slotOf(this.row);
    if (this.slots[slot] !== -1) return false;
    const id = this.count++;
    this.grow();
    this.rows.set(this.row, id * COLUMNS);
    this.from[id * 2] = parent;
    this.from[id * 2 + 1] = event;
    this.slots[slot] = id;
    if (this.count * 2 > this.slots.length) this.rehash();
    return true;
  }

  get(id: number): State {
    const [a = -1, b = -1, c = -1, consul = 0, messages = 0, world = 0] = this.rows.subarray(
      id * COLUMNS,
      (id + 1) * COLUMNS,
    );
    return {
      nodes: [a, b, c].filter((node) => node !== -1).map((node) => this.parts.node.get(node)),
      consul: this.parts.consul.get(consul),
      messages: this.parts.messages.get(messages),
      world: this.parts.world.get(world),
    };
  }

  /** The events that lead from the first state to this one. */
  pathTo(id: number): number[] {
    const path: number[] = [];
    for (let at = id; at > 0; at = this.from[at * 2] ?? 0) path.unshift(this.from[at * 2 + 1] ?? 0);
    return path;
  }

  private slotOf(row: Int32Array): number {
    let hash = 0;
    for (let i = 0; i < COLUMNS; i += 1) {
      hash = Math.imul(hash ^ (row[i] ?? 0), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.slots[slot] ?? -1;
      if (id === -1 || this.isRow(id, row)) return slot;
    }
  }

  private isRow(id: number, row: Int32Array): boolean {
    const start = id * COLUMNS;
    for (let i = 0; i < COLUMNS; i += 1) if (this.rows[start + i] !== row[i]) return false;
    return true;
  }

  private grow(): void {
    if (this.count * COLUMNS > this.rows.length) this.rows = doubled(this.rows);
    if (this.count * 2 > this.from.length) this.from = doubled(this.from);
  }

  private rehash(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    for (let id = 0; id < this.count; id += 1)
      this.slots[this.slotOf(this.rows.subarray(id * COLUMNS, (id + 1) * COLUMNS))] = id;
  }
}

function doubled(from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}
