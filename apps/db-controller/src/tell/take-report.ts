import type { RunnerReport } from '@ha-postgres/cluster-state';
import type { Parts } from '../parts';

/** What the runner says of itself and of PostgreSQL. */
export function takeReport({ facts, postgres, processes, poke, clock }: Parts, report: RunnerReport): void {
  const before = facts.runner.known ? facts.runner.value.postgres.startedAt : null;
  if (report.postgres.startedAt !== null && report.postgres.startedAt !== before) postgres.serverStarted();
  facts.runner = { known: true, value: report, seenAt: clock.now() };
  poke();
  if (!facts.seesPostgres && report.postgres.pid !== null) facts.seesPostgres = processes.list().length > 0;
}
