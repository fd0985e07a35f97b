import type { HistoryEntry, HistoryValue } from '@ha-postgres/cluster-state';
import type { LedTerm } from './observation';
import { leftFirst, leftIn } from './timeline-history';

/**
 * Promotions between a told one and that of `entry` which the history lacks: this node promoted, ended before it could say so, and
 * went on with its own data. Without them nobody else could show what it has in common with this Master. What PostgreSQL knows of
 * timelines tells where each began; where that does not fit, all count from the first.
 * @param timelineHistory the history file of `entry`'s timeline.
 */
export function untoldPromotions(
  { promotions }: HistoryValue,
  led: readonly LedTerm[],
  entry: HistoryEntry,
  timelineHistory: string,
): HistoryEntry[] {
  const isTold = (term: number) => promotions.some((promotion) => promotion.term === term);
  const untold: LedTerm[] = [];
  for (let term = entry.parentTerm; term > 0 && !isTold(term);) {
    const own = led.find((one) => one.term === term);
    if (own === undefined || own.parentTerm >= term) return [];
    untold.unshift(own);
    term = own.parentTerm;
  }
  const told = promotions.find(({ term }) => term === untold[0]?.parentTerm);
  if (told === undefined) return [];
  const lines = leftIn(timelineHistory);
  const first = leftFirst(lines, told.timeline, untold[0]?.timeline);
  const since = first < 0 ? [] : lines.slice(first);
  const [fork] = since;
  if (fork === undefined) return [];
  return untold.map(({ term, parentTerm }, index) => {
    const fits = since.length === untold.length + 1;
    const timeline = (fits ? since[index + 1]?.timeline : null) ?? entry.timeline;
    const forkLsn = (fits ? since[index]?.at : null) ?? fork.at;
    const why = 'promoted, and ended before it could say so';
    return { ...entry, term, parentTerm, timeline, forkLsn, why, from: null, tookMs: 0 };
  });
}
