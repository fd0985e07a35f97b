import type { HistoryValue, VoteAnswer } from '@ha-postgres/cluster-state';
import { parseLsn, type Lsn } from '@ha-postgres/lsn';
import { commonHistory } from './ancestry';
import type { Hold, Observation } from './observation';
import { isEnough, namedIn, votesNeeded } from './sync-set';
import { promises, syncOf, syncProblem } from './sync-view';

/** A position in the WAL of a term. */
export interface Position {
  readonly term: number;
  readonly lsn: Lsn;
}

/**
 * A node writes down the term that it is about to follow before any WAL of it comes. Up to where that term began its data is of
 * the term before: else an old position would outrank newer data.
 */
export function positionOf(dataTerm: number, lsn: Lsn, history: HistoryValue | null): Position {
  let term = dataTerm;
  for (;;) {
    const began = history?.promotions.find((promotion) => promotion.term === term);
    // A history that goes in circles must not keep this node busy for ever.
    if (began === undefined || began.parentTerm >= term || lsn > parseLsn(began.forkLsn)) return { term, lsn };
    term = began.parentTerm;
  }
}

/** Orders (term of the data, position): a longer WAL of an older term is not newer data. */
export function comparePositions(termA: number, lsnA: Lsn, termB: number, lsnB: Lsn): number {
  if (termA !== termB) return termA - termB;
  return lsnA === lsnB ? 0 : lsnA > lsnB ? 1 : -1;
}

/** Below 0: `a` has older data than `b`. */
export function compareData(a: Position, b: Position): number {
  return comparePositions(a.term, a.lsn, b.term, b.lsn);
}

/** The position that a vote counts with; null: none, for it may have more than it says, or nothing. */
export function votedPosition(answer: VoteAnswer, history: HistoryValue | null): Position | null {
  if (!answer.granted || !answer.replayed || answer.lsn === null || answer.dataTerm === 0) return null;
  return positionOf(answer.dataTerm, parseLsn(answer.lsn), history);
}

/**
 * The same, up to where the voter's data is part of the history of the Master that ran last. A tail of WAL that this one's votes left
 * out was never acknowledged; taken for newer data it would keep everybody from promoting.
 */
function positionInHistoryOf(lastTerm: number | null, answer: VoteAnswer, history: HistoryValue): Position | null {
  const voted = votedPosition(answer, history);
  if (voted === null || lastTerm === null || answer.dataTerm >= lastTerm) return voted;
  const { forkLsn } = commonHistory(lastTerm, history, answer.dataTerm);
  return forkLsn === null || voted.lsn <= forkLsn ? voted : positionOf(answer.dataTerm, forkLsn, history);
}

export interface Verdict {
  readonly may: boolean;
  readonly why: string;
}

/** May this holder promote, as far as acknowledged commits go? */
export function countVotes(o: Observation, hold: Hold): Verdict {
  const problem = syncProblem(o);
  const value = syncOf(o);
  if (value === undefined) return { may: false, why: problem ?? 'synchronous rule unknown' };
  const rules = promises(value);
  if (rules.length === 0) return { may: true, why: 'asynchronous replication' };
  if (overrides(o, hold)) return { may: true, why: `an administrator said so (${o.override?.id ?? ''})` };
  if (value?.term === hold.term) return { may: true, why: 'had enough votes when it wrote its own rule' };
  if (isItsOwnSuccessor(o, hold)) return { may: true, why: 'was the last Master itself' };
  if (!o.history.known) return { may: false, why: `the history of promotions is not known: ${o.history.why}` };
  if (o.postgres.lsn === null) return { may: false, why: 'its own WAL position is not known' };
  const history = o.history.value;
  const own = positionOf(o.disk.dataTerm, o.postgres.lsn, history);
  const counted = votesOf(o, hold).filter(({ node }) => namedIn(value).has(node));
  const voters = [o.self.node, ...counted.map(({ node }) => node)];
  for (const rule of rules) {
    if (isEnough(rule, voters)) continue;
    const have = voters.filter((node) => rule.names.includes(node)).length;
    return { may: false, why: `has ${have} votes of [${rule.names.join(', ')}]; ${needed(votesNeeded(rule))}` };
  }
  const newer = counted.find((vote) => {
    const position = positionInHistoryOf(hold.last?.term ?? null, vote, history);
    return position !== null && compareData(position, own) > 0;
  });
  return newer === undefined
    ? { may: true, why: 'has enough votes' }
    : { may: false, why: `${newer.node} has newer data` };
}

/** Votes of other nodes in this hold's term whose positions stand still and are known. */
export function votesOf(o: Observation, hold: Hold): readonly VoteAnswer[] {
  if (o.votes?.term !== hold.term) return [];
  const history = o.history.known ? o.history.value : null;
  return o.votes.answers.filter((answer) => answer.node !== o.self.node && votedPosition(answer, history) !== null);
}

/** The administrator lets this node succeed the Master that ran last. Used up when another has run. */
export function overrides(o: Pick<Observation, 'override' | 'self'>, { last }: Pick<Hold, 'last'>): boolean {
  const { override, self } = o;
  return override !== null && last !== null && override.node === self.node && override.afterTerm === last.term;
}

/** Nobody ran after this node, and its data is still that which it led with: it has every commit that was acknowledged. */
function isItsOwnSuccessor(o: Observation, { last }: Hold): boolean {
  const { ledTerm, dataTerm } = o.disk;
  if (last?.node !== o.self.node || ledTerm === null || ledTerm < last.term || dataTerm < last.term) return false;
  return o.history.known && o.history.value.promotions.every(({ term }) => term <= last.term);
}

function needed(votes: number): string {
  return votes === Infinity ? 'only the last Master itself has every commit' : `${votes} are needed`;
}
