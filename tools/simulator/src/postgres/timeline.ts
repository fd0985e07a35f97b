import { lsnText } from './wal';

/** How a timeline came about, as its history file tells: the timelines before it, and where each was left. */
export interface Ancestor {
  readonly timeline: number;
  readonly until: number;
}

export interface Timeline {
  readonly number: number;
  readonly ancestors: readonly Ancestor[];
}

export const FIRST_TIMELINE: Timeline = { number: 1, ancestors: [] };

/** Where `timeline` was left on the way to `of`; Infinity if it is `of` itself, null if it is no part of that history. */
export function switchPoint(of: Timeline, timeline: number): number | null {
  if (of.number === timeline) return Number.POSITIVE_INFINITY;
  return of.ancestors.find((ancestor) => ancestor.timeline === timeline)?.until ?? null;
}

/**
 * The timeline, on the way to `of`, that a position belongs to; the newest, where a disk lost WAL from before a switch and another was
 * made on top of it (`tliOfPointInHistory`).
 */
export function timelineAt(of: Timeline, lsn: number): Timeline {
  const { ancestors } = of;
  if ((ancestors.at(-1)?.until ?? 0) <= lsn) return of;
  const later = ancestors.findLastIndex(
    ({ until }, at) => lsn < until && (at === 0 || (ancestors[at - 1]?.until ?? 0) <= lsn),
  );
  const ancestor = ancestors[later];
  if (ancestor === undefined) return of;
  return { number: ancestor.timeline, ancestors: ancestors.slice(0, later) };
}

/**
 * A standby that is not streaming looks for the newest timeline that it has a history file of, and goes by that one from there on:
 * before it asks for more WAL, and before it obeys a promotion (`rescanLatestTimeLine` in xlogrecovery.c). Not where that is no child of
 * its own, or left it before what is replayed.
 */
export function latest(own: Timeline, known: ReadonlyMap<number, Timeline>, replayed: number): Timeline {
  const newest = known.get(Math.max(own.number, ...known.keys())) ?? own;
  const left = switchPoint(newest, own.number);
  return left === null || left < replayed ? own : newest;
}

/**
 * A promotion takes the number after the highest of which there is a history file here (`findNewestTimeLine` in
 * timeline.c): two servers that promote without knowing of each other make the same one.
 */
export function fork(from: Timeline, known: ReadonlyMap<number, Timeline>, at: number): Timeline {
  const number = Math.max(from.number, ...known.keys()) + 1;
  return { number, ancestors: [...from.ancestors, { timeline: from.number, until: at }] };
}

/** The history file, as PostgreSQL writes it. */
export function historyText({ ancestors }: Timeline): string {
  return ancestors
    .map(({ timeline, until }) => `${timeline}\t${lsnText(until)}\tno recovery target specified\n`)
    .join('\n');
}
