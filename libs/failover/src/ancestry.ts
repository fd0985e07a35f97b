import type { HistoryEntry, HistoryValue, TimelinePath } from '@ha-postgres/cluster-state';
import { parseLsn, type Lsn } from '@ha-postgres/lsn';
import type { DiskRecord, LedTerm, PostgresSight } from './observation';
import { strayFrom } from './stray-timelines';

export type Ancestry =
  /** This node's data is where the Master's history came by: it may stream. */
  | { readonly kind: 'ancestor' }
  | { readonly kind: 'diverged'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

type Position = Pick<PostgresSight, 'lsn' | 'replayed' | 'replayedLsn'>;

/**
 * Is this node's data an ancestor of the running Master's? Shown by terms and fork positions of the history, never by
 * timeline numbers: two nodes that promoted without knowing of each other both made the same number. They can only show the contrary.
 * @param own the timelines that this node's data went through; null: not known.
 */
export function ancestry(
  master: { readonly term: number },
  history: HistoryValue | null,
  disk: Pick<DiskRecord, 'dataTerm'>,
  postgres: Position,
  own: TimelinePath | null = null,
): Ancestry {
  const stray = strayFrom(
    history?.promotions.find(({ term }) => term === master.term),
    own,
  );
  if (stray !== null && disk.dataTerm <= master.term) return { kind: 'diverged', why: stray.why };
  if (disk.dataTerm === master.term) return { kind: 'ancestor' };
  if (disk.dataTerm === 0) return { kind: 'diverged', why: 'it is not known from which Master its data comes' };
  if (history === null) return { kind: 'unknown', why: 'the history of promotions is not known' };
  let term = master.term;
  // The earliest fork on the way back: a Master may have recorded a term without having got any of its WAL.
  let fork: HistoryEntry | null = null;
  while (term > disk.dataTerm) {
    const entry = history.promotions.find((promotion) => promotion.term === term);
    if (entry === undefined) return untold(term, master.term);
    // A history that goes in circles must not keep this node from fencing in time.
    if (entry.parentTerm >= term) {
      return { kind: 'unknown', why: `the history says that term ${term} grew from term ${entry.parentTerm}` };
    }
    if (fork === null || parseLsn(entry.forkLsn) < parseLsn(fork.forkLsn)) fork = entry;
    if (entry.parentTerm < disk.dataTerm) {
      return {
        kind: 'diverged',
        why: `data of term ${disk.dataTerm} is no part of term ${master.term}: term ${term} grew from term ${entry.parentTerm}`,
      };
    }
    if (entry.parentTerm === disk.dataTerm) return beforeFork(fork, postgres);
    term = entry.parentTerm;
  }
  // Only where Consul's memory went back: newer data must not be given up for an older history.
  return { kind: 'unknown', why: `data of term ${disk.dataTerm} is newer than the Master's term ${master.term}` };
}

/** Up to where two histories are one, and what the Master's has gone through since. */
export interface CommonHistory {
  /** Null: not known. */
  readonly forkLsn: Lsn | null;
  /** Numbers of the timelines of the Master's history since, newest last. */
  readonly timelines: readonly number[];
  /** Number of the timeline that both were on before; null: not known. */
  readonly leftTimeline: number | null;
  /** Every promotion since held all commits that had been acknowledged before it. */
  readonly covered: boolean;
}

const NOTHING_IN_COMMON: CommonHistory = {
  forkLsn: null,
  timelines: [],
  leftTimeline: null,
  covered: false,
};

/**
 * Where data of `dataTerm` left the history of `masterTerm`, wherever its WAL ends: the earliest fork on either way to the term of
 * both. `led`: what this node knows of terms of its own, which the history may not tell; where they began its own timelines show.
 */
export function commonHistory(
  masterTerm: number,
  history: HistoryValue | null,
  dataTerm: number,
  led: readonly LedTerm[] = [],
): CommonHistory {
  if (history === null || dataTerm === 0) return NOTHING_IN_COMMON;
  const masters = lineage(masterTerm, history);
  const own = lineage(dataTerm, history, led);
  const common = masters.terms.find((term) => own.terms.includes(term));
  if (common === undefined) return NOTHING_IN_COMMON;
  const shared = newestShared(own, common, led);
  const oldest = masters.entries.findLastIndex(({ term, timeline }) => term > common || timeline > shared);
  const since = masters.entries.slice(0, oldest + 1);
  const forks = [...since, ...own.entries.filter(({ term }) => term > common)].map(({ forkLsn }) => parseLsn(forkLsn));
  const [first, ...others] = forks;
  const leftTimeline = masters.entries[oldest + 1]?.timeline ?? null;
  const sinceCommon = since.filter(({ term }) => term > common);
  const isUntold =
    own.terms.length > own.entries.length && own.terms.some((term) => term > common && !isIn(term, own.entries));
  if (first === undefined || (isUntold && leftTimeline === null)) return NOTHING_IN_COMMON;
  return {
    forkLsn: others.reduce((earliest, fork) => (fork < earliest ? fork : earliest), first),
    timelines: since.map(({ timeline }) => timeline).reverse(),
    leftTimeline,
    covered: sinceCommon.length > 0 && sinceCommon.every(({ covered }) => covered === true),
  };
}

/**
 * The newest timeline that data can have in common with a Master's. A node records a term before any WAL of that comes: one that then
 * promotes has nothing of it, and makes the timeline of its number a second time, at the same position.
 */
function newestShared({ terms, entries }: Lineage, common: number, led: readonly LedTerm[]): number {
  const before = entries.filter(({ term }) => term > common).map(({ timeline }) => timeline - 1);
  const known = terms.filter((term) => term > common).flatMap((term) => timelineBefore(term, led) ?? []);
  return Math.min(Number.POSITIVE_INFINITY, ...before, ...known);
}

/** The newest timeline that a node knew before it first promoted in a term; null: not known. */
export function timelineBefore(term: number, led: readonly LedTerm[]): number | null {
  return led.find((one) => one.term === term)?.timeline ?? null;
}

function isIn(term: number, entries: readonly HistoryEntry[]): boolean {
  return entries.some((entry) => entry.term === term);
}

interface Lineage {
  readonly terms: readonly number[];
  readonly entries: readonly HistoryEntry[];
}

/** A term and those that it grew from, newest first, as far as the history, or the node that led them, tells. */
function lineage(term: number, { promotions }: HistoryValue, led: readonly LedTerm[] = []): Lineage {
  const terms = [term];
  const entries: HistoryEntry[] = [];
  for (let at = term; ;) {
    const entry = promotions.find((promotion) => promotion.term === at);
    const parentTerm = (entry ?? led.find((one) => one.term === at))?.parentTerm;
    if (parentTerm === undefined || parentTerm >= at) return { terms, entries };
    if (entry !== undefined) entries.push(entry);
    // Term 0 is no term: the first Master grew from nobody.
    if (parentTerm === 0) return { terms, entries };
    terms.push(parentTerm);
    at = parentTerm;
  }
}

/**
 * The newest entry may be on its way still. One further back never comes (its Master promoted and ended before it could
 * write it): data that cannot be shown to be an ancestor must then be treated as if it were none.
 */
function untold(term: number, masterTerm: number): Ancestry {
  const why = `the history does not tell how term ${term} began`;
  return term === masterTerm ? { kind: 'unknown', why } : { kind: 'diverged', why };
}

function beforeFork({ forkLsn, term }: HistoryEntry, { lsn, replayed, replayedLsn }: Position): Ancestry {
  if (lsn === null) return { kind: 'unknown', why: 'its own WAL position is not known' };
  const fork = parseLsn(forkLsn);
  if (lsn <= fork) return { kind: 'ancestor' };
  if ((replayedLsn ?? lsn) > fork) {
    return { kind: 'diverged', why: `its WAL reaches beyond ${forkLsn}, where term ${term} began` };
  }
  // What is received and not replayable is the torn beginning of a record: every node has it that a killed Master sent to.
  return replayed ? { kind: 'ancestor' } : { kind: 'unknown', why: 'not all that it received has been replayed yet' };
}
