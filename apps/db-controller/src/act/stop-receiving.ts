import { resumeReplay, walReceiverStopped } from '@ha-postgres/pg-health';
import type { Millis } from '@ha-postgres/service-kit';
import type { Parts } from '../parts';

const POLL_MS = 3;

/**
 * Waits until this node receives WAL from nobody and has replayed what it has, then looks at its position: whoever votes,
 * and whoever counts votes, compares positions that stand still. The loop has published an answer that cuts the receiver off.
 * @returns null, or why it was not done by `until`. @throws ServerFailure
 */
export async function stopReceiving(parts: Parts, until: Millis): Promise<string | null> {
  const { postgres, clock } = parts;
  while (!isCutOff(parts)) {
    if (clock.now() > until) return 'the runner has not cut the WAL receiver off in time';
    await clock.pause(POLL_MS);
  }
  if (!runs(parts)) return null;
  await resumeReplay(postgres.connection);
  const stopped = await walReceiverStopped(postgres.connection, { limitMs: Math.max(1, until - clock.now()), clock });
  if (!stopped) return 'the WAL receiver did not stop in time';
  await postgres.readAnew();
  while (!postgres.sight.replayed && clock.now() < until) {
    await clock.pause(POLL_MS);
    await postgres.readAnew();
  }
  return null;
}

function runs({ facts }: Parts): boolean {
  return facts.runner.known && facts.runner.value.postgres.pid !== null;
}

function isCutOff({ facts, publisher }: Parts): boolean {
  if (!facts.runner.known || publisher.published === null) return false;
  const report = facts.runner.value;
  const { instruction, instructionIndex } = publisher.published;
  // A report from before the newest instruction says nothing: the runner may be starting PostgreSQL by now.
  if (report.stopped && report.obeysIndex >= instructionIndex) return true;
  const asked = instruction.kind !== 'follow' || instruction.upstream === null;
  return asked && report.obeysIndex >= instructionIndex && report.receivingFrom === null;
}
