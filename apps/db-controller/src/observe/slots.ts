import { messageOf, type Timer } from '@ha-postgres/service-kit';
import { readSlots } from '../act/slot-effects';
import { NO_SLOTS } from '../facts';
import type { Parts } from '../parts';

/** A slot is lost, or somebody drops one, seldom. */
const LOOK_MS = 5000;

/** While this node is Master: the cluster's replication slots on it. */
export class Slots {
  private timer: Timer | null = null;
  private stopped = false;

  constructor(private readonly parts: Parts) {}

  start(): void {
    void this.look();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private async look(): Promise<void> {
    const { facts, log, clock } = this.parts;
    try {
      if (facts.hold?.view.phase === 'running') await readSlots(this.parts);
      else facts.slots = NO_SLOTS;
    } catch (error) {
      log.debug({ event: 'slots.unknown', why: messageOf(error) }, 'could not read the replication slots');
    }
    if (!this.stopped) this.timer = clock.schedule(LOOK_MS, () => void this.look());
  }
}
