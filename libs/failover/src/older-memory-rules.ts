import type { SeenByMember, VoteAnswer } from '@ha-postgres/cluster-state';
import type { Action } from './actions';
import { begin } from './ending-rules';
import { isLeading, standBack } from './holding';
import type { Hold, Observation } from './observation';
import type { Outcome, Rule, Rules } from './outcome';
import { isFresh } from './sync-view';

/** What a member's word shows, and what of it is to be remembered. */
interface Shown {
  readonly what: string;
  readonly remembered: Omit<Extract<Action, { type: 'recordForeignTerm' }>, 'type'>;
}

/**
 * A node whose own memory is too young to tell that Consul's went back learns it from the members that it asks for votes. It has not
 * promoted yet, so nothing is lost by giving up. Were it to promote, terms that others have seen or run would be used again, by a rule
 * of synchronous replication and a position of the last Master that were overtaken.
 */
export const olderMemoryRules: Rules = {
  holderGivesUpATermThatAnotherRan: beforeItPromoted((_o, hold, { node, dataTerm }) =>
    dataTerm < hold.term ? null : { what: `${node} has data of term ${dataTerm} already`, remembered: term(dataTerm) },
  ),

  holderGivesUpWhenAMemberHasSeenMoreOfConsul: beforeItPromoted((o, hold, { node, seen }) =>
    // Numbers of an epoch that an administrator has ended are no more than history.
    seen === undefined || seen.epoch < o.disk.epoch ? null : moreSeen(o, hold, node, seen),
  ),
};

function moreSeen(o: Observation, hold: Hold, node: string, seen: SeenByMember): Shown | null {
  if (seen.term > hold.term)
    return { what: `${node} has seen term ${seen.term}, newer than ${hold.term}`, remembered: term(seen.term) };
  if (seen.term === hold.term && seen.termNode !== null && seen.termNode !== o.self.node)
    return { what: `${node} has seen term ${seen.term} of another node`, remembered: term(seen.term) };
  if (seen.wentBack !== null)
    return { what: `${node}: ${seen.wentBack}`, remembered: { ...term(0), modifyIndex: seen.modifyIndex } };
  if (seen.syncVersion <= readVersion(o, hold)) return null;
  const { syncVersion } = seen;
  const what = `${node} has seen version ${syncVersion} of the synchronous rule, and Consul has an older one`;
  return { what, remembered: { ...term(0), syncVersion } };
}

/** Of key `sync` as it was read after the lock was taken; before that, and where it cannot be read, nothing is judged by it. */
function readVersion(o: Observation, hold: Hold): number {
  if (!o.sync.known || !isFresh(o, hold) || !o.sync.value.isReadable) return Number.POSITIVE_INFINITY;
  return o.sync.value.value?.version ?? 0;
}

function term(number: number): Shown['remembered'] {
  return { term: number, modifyIndex: null, syncVersion: 0 };
}

function beforeItPromoted(judge: (o: Observation, hold: Hold, answer: VoteAnswer) => Shown | null): Rule {
  return (o) => {
    const { hold, votes } = o;
    if (hold === null || isLeading(hold) || hold.last === null || o.disk.ledTerm === hold.term) return null;
    if (votes?.term !== hold.term) return null;
    const shown = votes.answers
      .map((answer) => judge(o, hold, answer))
      .filter((one): one is Shown => one !== null)
      .sort((a, b) => b.remembered.term - a.remembered.term);
    return shown[0] === undefined ? null : giveUp(o, shown[0]);
  };
}

function giveUp(o: Observation, { what, remembered }: Shown): Outcome {
  const why = `${what}: Consul's memory went back, or the lock was lost unheard`;
  const ends = begin(o, why, 'immediate', standBack(o));
  return { ...ends, actions: [{ type: 'recordForeignTerm', ...remembered }, ...(ends.actions ?? [])] };
}
