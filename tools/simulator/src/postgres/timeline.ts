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

/** The timeline after `timeline` on the way to `of`. */
export function nextTimeline(of: Timeline, timeline: number): Timeline {
  const at = of.ancestors.findIndex((ancestor) => ancestor.timeline === timeline);
  const next = of.ancestors[at + 1];
  return next === undefined ? of : { number: next.timeline, ancestors: of.ancestors.slice(0, at + 1) };
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
