import type { Log } from '@ha-postgres/service-kit';
import type { MachineClock } from '../machine';
import type { OwnHold } from './own-hold';

const LAST_BEAT_MS = 300;

/**
 * Done first when this process is stopped: the next one then has a whole lease to come up in. The decision loop must still run,
 * for it tells the runner the new end. Takes 300 ms at most.
 */
export async function lastBeat(hold: OwnHold | null, log: Log, clock: MachineClock): Promise<void> {
  if (hold === null) return;
  const beat = hold.write([]).then(({ done }) => done);
  const isBeaten = await Promise.race([beat, clock.pause(LAST_BEAT_MS).then(() => false)]);
  if (!isBeaten) log.warn({ event: 'lease.last-beat-unanswered' }, 'stops without an answer to its last beat');
  // In which the loop publishes what it was poked for.
  await new Promise<void>((resolve) => clock.soon(resolve));
}
