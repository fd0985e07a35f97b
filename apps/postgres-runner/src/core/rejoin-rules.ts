import type { Divergence, RejoinInstruction } from '@ha-postgres/cluster-state';
import { isSameUpstream, rest, type Facts, type Problem, type RejoinMark, type Rule } from './facts';
import { isHeld } from './memory';
import { asked, begin, follow } from './run-rules';

/** PostgreSQL is stopped, the data made to follow, and only then a standby is started; by whom it is proven, the controller says. */
export const rejoinMakesTheDataFollow: Rule = (facts) => {
  const wanted = asked(facts, 'rejoin');
  if (wanted === null) return null;
  const { task, postgres, rejoin } = facts;
  if (task !== null) {
    const isWanted = task.kind === 'rejoin' && isSameWish(task.instruction, wanted);
    return isWanted ? { kind: 'carryOn' } : { kind: 'abort', why: 'the node is to rejoin' };
  }
  if (hasNewData(rejoin, wanted)) {
    return isUseless(facts) ? { kind: 'discardCopy' } : follow(facts, wanted.upstream);
  }
  if (postgres !== null) return { kind: 'begin', task: { kind: 'stopFast' } };
  if (isHeld(facts.memory) || isAncestor(rejoin, wanted)) return rest('stopped');
  if (isRefused(rejoin, wanted)) return rest('blocked', whatWouldBeLost(facts));
  return begin(facts, { kind: 'begin', task: { kind: 'rejoin', instruction: wanted } });
};

/** Whether `mayLose` has changed meanwhile matters only once it is known that something would be lost. */
function isSameWish(one: RejoinInstruction, other: RejoinInstruction): boolean {
  return (
    one.how === other.how && one.upstream.term === other.upstream.term && isSameUpstream(one.upstream, other.upstream)
  );
}

function hasNewData(mark: RejoinMark | null, { upstream, how }: RejoinInstruction): boolean {
  if (mark?.term !== upstream.term) return false;
  return mark.stage === 'copied' || (mark.stage === 'rewound' && how === 'examine');
}

/** What was rewound and cannot catch up its controller has copied; what was copied itself, and cannot, is copied once more. */
function isUseless({ rejoin, postgres, data }: Facts): boolean {
  return data.problem?.code === 'HAPG_DATA_UNREADABLE' || (rejoin?.stage === 'copied' && postgres?.walGone === true);
}

function isAncestor(mark: RejoinMark | null, { upstream, how }: RejoinInstruction): boolean {
  return mark?.term === upstream.term && mark.stage === 'ancestor' && how === 'examine';
}

function isRefused(mark: RejoinMark | null, { upstream, how, mayLose }: RejoinInstruction): boolean {
  return mark?.term === upstream.term && mark.stage === 'refused' && how === 'examine' && !mayLose;
}

function whatWouldBeLost({ divergence }: Facts): Problem {
  const what = divergence === null ? 'commits' : describe(divergence);
  return { code: 'HAPG_REJOIN_WOULD_LOSE', message: `${what}: rejoining would lose them` };
}

/** For people: how much a node has that its Master's history lacks. */
export function describe({ commits, fromLsn, toLsn, transactions, relations, why, term }: Divergence): string {
  const range = `between ${fromLsn ?? 'an unknown fork'} and ${toLsn ?? 'the end'} of its WAL`;
  if (commits === null)
    return `it is not known which commits it holds ${range} that term ${term} lacks (${why ?? 'unknown'})`;
  const ids = `${transactions.join(', ')}${commits > transactions.length ? ', …' : ''}`;
  const touched = relations.length === 0 ? '' : `; relations ${relations.join(', ')}`;
  return `it holds ${commits} commit${commits === 1 ? '' : 's'} ${range} that term ${term} lacks (transaction${commits === 1 ? '' : 's'} ${ids}${touched})`;
}
