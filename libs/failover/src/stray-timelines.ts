import type { HistoryEntry, TimelinePath } from '@ha-postgres/cluster-state';
import { parseLsn, type Lsn } from '@ha-postgres/lsn';

/** Where data went another way than its Master's, by the timelines that both have been on. */
export interface Stray {
  /** Null: from the beginning. */
  readonly forkLsn: Lsn | null;
  /** Number of the timeline that both were on before. */
  readonly leftTimeline: number | null;
  /** Numbers of the Master's timelines since, newest last. */
  readonly timelines: readonly number[];
  readonly why: string;
}

interface Step {
  readonly timeline: number;
  /** Null: it is still on it. */
  readonly at: Lsn | null;
}

/**
 * Data that follows has been on the timelines of its Master's data and on no other, as far as it has come. Somebody who promotes a
 * Replica by hand, or a history file that came through a load balancer from another Master, makes it otherwise, and no term tells.
 * Null: nothing of the kind is known. Two nodes that left a timeline at the very same position for one of the same number look alike.
 * @param entry the promotion of the Master.
 */
export function strayFrom(entry: HistoryEntry | undefined, own: TimelinePath | null): Stray | null {
  if (entry?.left === undefined || own === null || isOnTheWay(own, entry.left, entry.timeline)) return null;
  const masters = stepsOf({ left: entry.left, newest: entry.timeline });
  let common: { readonly timeline: number; readonly at: Lsn } | null = null;
  for (const [index, { timeline, at }] of stepsOf(own).entries()) {
    const master = masters[index];
    const since = masters.slice(index).map((one) => one.timeline);
    if (master?.timeline !== timeline) {
      const { timeline: leftTimeline = null, at: forkLsn = null } = common ?? {};
      return {
        forkLsn,
        leftTimeline,
        timelines: since,
        why: `it has been on timeline ${timeline}, its Master was not`,
      };
    }
    if (at === null) return null;
    if (at !== master.at) {
      const forkLsn = master.at === null || at < master.at ? at : master.at;
      const why = `it left timeline ${timeline} where its Master did not`;
      return { forkLsn, leftTimeline: timeline, timelines: since.slice(1), why };
    }
    common = { timeline, at };
  }
  return null;
}

/** By the very words, which is most often so and asked at every decision. */
function isOnTheWay(own: TimelinePath, left: TimelinePath['left'], newest: number): boolean {
  const isSame = own.left.every(({ timeline, at }, i) => left[i]?.timeline === timeline && left[i].at === at);
  return isSame && own.newest === (left.length > own.left.length ? left[own.left.length]?.timeline : newest);
}

function stepsOf({ left, newest }: TimelinePath): Step[] {
  const steps: Step[] = left.map(({ timeline, at }) => ({ timeline, at: parseLsn(at) }));
  return [...steps, { timeline: newest, at: null }];
}
