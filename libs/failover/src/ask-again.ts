import { RECEIVE_FROM_NOBODY, type HolderRule } from './holding';
import type { Hold, Observation, Votes } from './observation';
import { hasTheWholeEnd } from './switchover-rules';
import { isAsync } from './sync-view';
import { overrides } from './vote-count';

/**
 * An answer that came a little late, as on a starved machine, may be that of the member with the newest data. Asynchronously nothing
 * else shows that some is missing, so whoever has not voted is asked once more, and given longer. Whoever is dead refuses the
 * connection at once; the last Master, whose silence is why there is a vote, is not waited for again.
 */
export const askTheSilentOnceMore: HolderRule = (o, _memory, hold) => {
  if (o.votes === null || isAskedAgain(o.votes) || !isAsync(o)) return null;
  if (overrides(o, hold) || hasTheWholeEnd(o, hold) || silent(o, o.votes, hold).length === 0) return null;
  return { ...RECEIVE_FROM_NOBODY, actions: [{ type: 'collectVotes', term: hold.term }] };
};

function isAskedAgain({ startedAt, askedAt }: Votes): boolean {
  return askedAt !== undefined && askedAt > startedAt;
}

/** Members without a vote. One that refused it, too: it may have been too slow to stop its receiver. */
function silent({ members, self }: Observation, { answers }: Votes, { last }: Hold): readonly string[] {
  const all = members.known ? members.value.members.map(({ node }) => node) : [];
  const have = answers.filter(({ granted }) => granted).map(({ node }) => node);
  return all.filter((node) => node !== self.node && node !== last?.node && !have.includes(node));
}
