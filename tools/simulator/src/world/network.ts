import type { Random } from './random';
import type { World } from './world';

/** A message that was lost is sent again by TCP, so much later. */
const RETRANSMIT_MS = 200;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 3000;

/** Ways between machines, each in one direction: cut or slow, or losing packets, apart from each other. */
export class Network {
  /** How often each way is cut; by its ends. */
  private readonly cuts = new Map<string, number>();
  /** Milliseconds that a way takes beside its own; by its ends. */
  private readonly slow = new Map<string, number>();
  /** Probability that a packet is lost. */
  loss = 0;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  /** Milliseconds that a message takes now; null: it does not get through. */
  link(from: string, to: string): number | null {
    if (from === to) return this.random.between(0.02, 0.1);
    if (this.cuts.size > 0 && this.cuts.has(`${from}>${to}`)) return null;
    const lost = this.loss > 0 && this.random.chance(this.loss) ? RETRANSMIT_MS : 0;
    const slow = this.slow.size > 0 ? (this.slow.get(`${from}>${to}`) ?? 0) : 0;
    return this.random.between(0.1, 0.7) + slow + lost;
  }

  /**
   * As TCP does: a message that does not get through is sent again, less and less often, and arrives when the way is open
   * again, however late; or the connection turns out to be broken by then. `thereMs`: how long it is kept at the other end.
   */
  carry(from: string, to: string, arrive: () => void, broken: () => void, thereMs = 0, again = FIRST_RETRY_MS): void {
    const ms = this.link(from, to);
    if (ms !== null) {
      this.world.schedule(ms + thereMs, arrive);
      return;
    }
    const next = this.random.chance(0.1) ? broken : arrive;
    this.world.schedule(again, () => this.carry(from, to, next, broken, thereMs, Math.min(LAST_RETRY_MS, 2 * again)));
  }

  /** Cuts add up: a way is open when each has been healed. Returns what heals it. */
  cut(from: string, to: string): () => void {
    const way = `${from}>${to}`;
    this.cuts.set(way, (this.cuts.get(way) ?? 0) + 1);
    this.world.tell('network', () => `cut ${way}`);
    let isHealed = false;
    return () => {
      if (isHealed) return;
      isHealed = true;
      const left = (this.cuts.get(way) ?? 1) - 1;
      if (left > 0) this.cuts.set(way, left);
      else this.cuts.delete(way);
      this.world.tell('network', () => `healed ${way}`);
    };
  }

  slowDown(from: string, to: string, ms: number): () => void {
    const way = `${from}>${to}`;
    this.slow.set(way, ms);
    this.world.tell('network', () => `${way} takes ${ms.toFixed(0)} ms longer`);
    return () => void this.slow.delete(way);
  }
}
