import type { HistoryEntry, LeftTimeline } from '@ha-postgres/cluster-state';
import { parseLsn } from '@ha-postgres/lsn';

/** What a history file tells, the oldest timeline first. Whatever else stands in it is passed over, as PostgreSQL does with comments. */
export function leftIn(text: string): LeftTimeline[] {
  return text.split('\n').flatMap((line) => {
    const [, timeline, at] = /^\s*(\d+)\s+([0-9A-F]{1,8}\/[0-9A-F]{1,8})/i.exec(line) ?? [];
    return timeline === undefined || at === undefined ? [] : [{ timeline: Number(timeline), at }];
  });
}

/**
 * Index of the line that tells where a node's own timelines leave its parent's; -1: none does. Where it knew of none as new as the
 * parent's when it promoted (`known`), it left an older one, and a later line of the parent's number is of its own making.
 */
export function leftFirst(lines: readonly LeftTimeline[], parents: number, known: number = parents): number {
  return lines.findIndex(({ timeline }) => timeline === Math.min(parents, known));
}

/**
 * Where a new history leaves that of its parent. One hold may promote twice (everything is killed and started again before it could
 * say so): then the last recovery ended later than the parent's timeline was left, and WAL between the two is no part of the new one.
 * @param replayed where the last recovery ended.
 * @param parent the promotion that it grew from; undefined: the history does not tell it.
 * @param timelineHistory the history file of the new timeline.
 * @param known the newest timeline that the node knew of before the first; null: that is not known.
 */
export function forkFrom(
  replayed: string,
  parent: HistoryEntry | undefined,
  timelineHistory: string,
  known: number | null = null,
): string {
  const lines = leftIn(timelineHistory);
  const left = parent === undefined ? undefined : lines[leftFirst(lines, parent.timeline, known ?? undefined)];
  return left !== undefined && parseLsn(left.at) < parseLsn(replayed) ? left.at : replayed;
}
