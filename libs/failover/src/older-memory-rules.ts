import { begin } from './ending-rules';
import { isLeading, standBack } from './holding';
import type { Rules } from './outcome';

/** A node whose own memory is too young to tell that Consul's went back learns it from the members that it asks for votes. */
export const olderMemoryRules: Rules = {
  holderGivesUpATermThatAnotherRan: (o) => {
    const { hold, votes } = o;
    if (hold === null || isLeading(hold) || hold.last === null || o.disk.ledTerm === hold.term) return null;
    if (votes?.term !== hold.term) return null;
    const term = Math.max(0, ...votes.answers.map(({ dataTerm }) => dataTerm));
    if (term < hold.term) return null;
    const witness = votes.answers.find(({ dataTerm }) => dataTerm === term);
    const ends = begin(
      o,
      `${witness?.node ?? 'a member'} has data of term ${term} already: Consul's memory went back`,
      'immediate',
      standBack(o),
    );
    return { ...ends, actions: [{ type: 'recordForeignTerm', term }, ...(ends.actions ?? [])] };
  },
};
