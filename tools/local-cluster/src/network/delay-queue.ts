import type { Slowness } from './links';

interface Waiting<Packet> {
  readonly due: number;
  readonly packet: Packet;
}

/** How each way is held up, by `FROM>TO` in addresses. */
export type SlowWays = Readonly<Record<string, Slowness>>;

/**
 * Packets that wait for their time. Those of one way stay in order, as on a real line, however the jitter falls.
 * Times are milliseconds of a monotonic clock.
 */
export class DelayQueue<Packet> {
  private ways: SlowWays = {};
  private readonly waiting = new Map<string, Waiting<Packet>[]>();

  /** @param random a number from 0 to below 1, as `Math.random` gives it. */
  constructor(private readonly random: () => number) {}

  /** From now on; packets that wait keep their time. */
  setWays(ways: SlowWays): void {
    this.ways = ways;
  }

  /** Takes a packet; it may be lost here. One of a way that is not slow is due at once. */
  take(way: string, packet: Packet, now: number): void {
    const { delayMs, jitterMs, lossPercent } = this.ways[way] ?? { delayMs: 0, jitterMs: 0, lossPercent: 0 };
    if (this.random() * 100 < lossPercent) return;
    const line = this.waiting.get(way) ?? [];
    this.waiting.set(way, line);
    const longer = delayMs + jitterMs * (2 * this.random() - 1);
    line.push({ due: Math.max(now + Math.max(longer, 0), line.at(-1)?.due ?? 0), packet });
  }

  /** The packets whose time has come, each once, in the order of their times. */
  due(now: number): Packet[] {
    const all = [...this.waiting.values()].flatMap((line) => {
      const later = line.findIndex(({ due }) => due > now);
      return line.splice(0, later < 0 ? line.length : later);
    });
    return all.sort((one, other) => one.due - other.due).map(({ packet }) => packet);
  }

  /** When the next packet's time comes; null: none waits. */
  get nextDue(): number | null {
    const firsts = [...this.waiting.values()].flatMap(([first]) => (first === undefined ? [] : [first.due]));
    return firsts.length === 0 ? null : Math.min(...firsts);
  }
}
