import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { table } from './table';

/** `hapg history` for people, oldest first. */
export function historyText(promotions: readonly HistoryEntry[]): string {
  if (promotions.length === 0) return 'No promotion is written.';
  return table(
    ['WHEN', 'TERM', 'FROM', 'TO', 'FORK', 'TIMELINE', 'TOOK', 'WHY'],
    promotions.map(({ at, term, parentTerm, from, node, forkLsn, timeline, tookMs, why }) => [
      at,
      `${term} (after ${parentTerm})`,
      from ?? '',
      node,
      forkLsn,
      String(timeline),
      `${Math.round(tookMs)} ms`,
      why,
    ]),
  );
}
