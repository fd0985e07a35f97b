import { readSlots } from '../act/slot-effects';
import { NO_SLOTS } from '../facts';
import type { Parts } from '../parts';
import { LookAgain } from './look-again';

/** A slot is lost, or somebody drops one, seldom. */
const LOOK_MS = 5000;

/** While this node is Master: the cluster's replication slots on it. */
export class Slots extends LookAgain {
  constructor(parts: Parts) {
    super(parts, LOOK_MS, { event: 'slots.unknown', text: 'could not read the replication slots' });
  }

  protected async look(): Promise<void> {
    const { facts } = this.parts;
    if (facts.hold?.view.phase === 'running') await readSlots(this.parts);
    else facts.slots = NO_SLOTS;
  }
}
