import type { MachineClock } from '../machine';

/** Notices that wall and monotonic time moved apart: a machine that was paused, or a clock that was set. */
export class ClockJump {
  private offset: number;
  private seen = false;

  constructor(
    private readonly marginMs: number,
    private readonly clock: MachineClock,
  ) {
    this.offset = clock.wallNow() - clock.now();
  }

  /** Whether they moved apart by more than the margin since the last {@link forget}. To be asked often. */
  look(): boolean {
    const offset = this.clock.wallNow() - this.clock.now();
    if (Math.abs(offset - this.offset) > this.marginMs) this.seen = true;
    this.offset = offset;
    return this.seen;
  }

  forget(): void {
    this.seen = false;
  }
}
