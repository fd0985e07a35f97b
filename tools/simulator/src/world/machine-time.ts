import type { World } from './world';

/** A wall clock begins somewhere; nothing but a jump of it means anything. */
const WALL_START = 1_700_000_000_000;

/** The clocks of one machine: monotonic time runs at a rate of its own, and may stand still; wall time may be set. */
export class MachineTime {
  private base: number;
  private since: number;
  private isStanding = false;
  private wallOffset: number;

  constructor(
    private readonly world: World,
    /** Milliseconds of this clock for each of the world's. */
    private readonly rate: number,
    startAt: number,
  ) {
    this.base = startAt;
    this.since = world.now();
    this.wallOffset = WALL_START - startAt;
  }

  now(): number {
    return this.isStanding ? this.base : this.base + (this.world.now() - this.since) * this.rate;
  }

  wallNow(): number {
    return this.now() + this.wallOffset;
  }

  /** How long `ms` of this clock take in the world. */
  inWorld(ms: number): number {
    return ms / this.rate;
  }

  /** As in a virtual machine that is paused. */
  stand(): void {
    this.base = this.now();
    this.isStanding = true;
  }

  /** Goes on from where it stood; wall time has moved on if `wallMoved`. */
  goOn(stoodMs: number, wallMoved: boolean): void {
    if (!this.isStanding) return;
    this.isStanding = false;
    this.since = this.world.now();
    if (wallMoved) this.wallOffset += stoodMs;
  }

  setWall(byMs: number): void {
    this.wallOffset += byMs;
  }
}
