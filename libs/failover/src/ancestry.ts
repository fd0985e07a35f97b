import type { HistoryValue } from '@ha-postgres/cluster-state';
import { parseLsn } from '@ha-postgres/lsn';
import type { DiskRecord, PostgresSight } from './observation';

export type Ancestry =
  /** This node's data is where the Master's history came by: it may stream. */
  | { readonly kind: 'ancestor' }
  | { readonly kind: 'diverged'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Is this node's data an ancestor of the running Master's? Judged by terms and fork positions of the history, never by
 * timeline numbers: two nodes that promoted without knowing of each other both made the same number.
 */
export function ancestry(
  master: { readonly term: number },
  history: HistoryValue | null,
  disk: Pick<DiskRecord, 'dataTerm'>,
  postgres: Pick<PostgresSight, 'lsn'>,
): Ancestry {
  if (disk.dataTerm === 0 || disk.dataTerm === master.term) return { kind: 'ancestor' };
  if (history === null) return { kind: 'unknown', why: 'the history of promotions is not known' };
  let term = master.term;
  while (term > disk.dataTerm) {
    const entry = history.promotions.find((promotion) => promotion.term === term);
    if (entry === undefined) return untold(term, master.term);
    // A history that goes in circles must not keep this node from fencing in time.
    if (entry.parentTerm >= term) {
      return { kind: 'unknown', why: `the history says that term ${term} grew from term ${entry.parentTerm}` };
    }
    if (entry.parentTerm < disk.dataTerm) {
      return {
        kind: 'diverged',
        why: `data of term ${disk.dataTerm} is no part of term ${master.term}: term ${term} grew from term ${entry.parentTerm}`,
      };
    }
    if (entry.parentTerm === disk.dataTerm) return beforeFork(entry.forkLsn, entry.term, postgres);
    term = entry.parentTerm;
  }
  // Only where Consul's memory went back: newer data must not be given up for an older history.
  return { kind: 'unknown', why: `data of term ${disk.dataTerm} is newer than the Master's term ${master.term}` };
}

/**
 * The newest entry may be on its way still. One further back never comes (its Master promoted and ended before it could
 * write it): data that cannot be shown to be an ancestor must then be treated as if it were none.
 */
function untold(term: number, masterTerm: number): Ancestry {
  const why = `the history does not tell how term ${term} began`;
  return term === masterTerm ? { kind: 'unknown', why } : { kind: 'diverged', why };
}

function beforeFork(forkLsn: string, term: number, postgres: Pick<PostgresSight, 'lsn'>): Ancestry {
  if (postgres.lsn === null) return { kind: 'unknown', why: 'its own WAL position is not known' };
  if (postgres.lsn <= parseLsn(forkLsn)) return { kind: 'ancestor' };
  return { kind: 'diverged', why: `its WAL reaches beyond ${forkLsn}, where term ${term} began` };
}
