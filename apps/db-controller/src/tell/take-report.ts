import { isSameJson, nanosTextToMillis, type Millis } from '@ha-postgres/service-kit';
import type { RunnerReport } from '@ha-postgres/cluster-state';
import type { Parts } from '../parts';

/** What the runner says of itself and of PostgreSQL. */
export function takeReport(parts: Parts, report: RunnerReport): void {
  const { facts, postgres, processes, publisher, poke, clock } = parts;
  const before = facts.runner.known ? facts.runner.value : null;
  if (report.postgres.startedAt !== null && report.postgres.startedAt !== before?.postgres.startedAt)
    postgres.serverStarted();
  const seenAt = clock.now();
  if (!isSameTimelines(before, report)) facts.timelinesSince = seenAt;
  facts.runner = { known: true, value: report, seenAt };
  const instructionIndex = publisher.published?.instructionIndex ?? 0;
  const gistOf = (one: RunnerReport): object => gist(one, instructionIndex, seenAt);
  if (before === null || !isSameJson(gistOf(before), gistOf(report))) poke();
  if (!facts.seesPostgres && report.postgres.pid !== null) facts.seesPostgres = processes.list().length > 0;
}

function isSameTimelines(before: RunnerReport | null, { data: { timelines = null } }: RunnerReport): boolean {
  return isSameJson({ timelines: before?.data.timelines ?? null }, { timelines });
}

/**
 * What can be decided on. Every second a report names a newer answer and a later deadline; what counts of these is whether
 * the newest instruction is obeyed, and whether the deadline is still to come.
 */
function gist(report: RunnerReport, instructionIndex: number, now: Millis): object {
  const { armed, obeysIndex } = report;
  return {
    ...report,
    obeysIndex: obeysIndex >= instructionIndex,
    armed: armed && {
      term: armed.term,
      isNewest: armed.index >= instructionIndex,
      isToCome: nanosTextToMillis(armed.validUntil) > now,
    },
  };
}
