import type { NodeAddress, VoteAnswer } from '@ha-postgres/cluster-state';
import type { Effects } from '@ha-postgres/failover';
import { messageOf, type Millis } from '@ha-postgres/service-kit';
import { FAILSAFE_TIME_MS } from '../config';
import type { Parts } from '../parts';
import { stopReceiving } from './stop-receiving';
import { VoteQuestions } from './vote-questions';
import { fetchWalTail } from './wal-tail';

/** A member that has not answered by then has no vote in this round. */
const VOTE_LIMIT_MS = 150;
/** Asked again it gets longer: where machines are slow the first answer was late rather than missing. */
const VOTE_AGAIN_LIMIT_MS = 350;
/** A candidate waits longer for its own receiver's end than others wait for its vote. */
const OWN_POSITION_LIMIT_MS = 1000;

export function peerEffects(parts: Parts): Pick<Effects, 'collectVotes' | 'askFailsafe'> {
  const { facts, consul, peers, self, times, log, clock } = parts;
  const questions = new VoteQuestions(peers, clock);
  return {
    collectVotes: async ({ term }) => {
      const askedAt = clock.now();
      // Asked again: a vote is for the whole term, and counts also where its giver does not answer any more.
      const before = facts.votes?.term === term ? facts.votes : null;
      const startedAt = before?.startedAt ?? askedAt;
      const asked = (consul.members.known ? consul.members.value.members : []).filter(({ node }) => node !== self.node);
      facts.votes = { term, startedAt, askedAt, complete: false, answers: before?.answers ?? [] };
      const withinMs = before === null ? VOTE_LIMIT_MS : VOTE_AGAIN_LIMIT_MS;
      const request = { term, candidate: self.node, withinMs };
      // Its own position counts as well, and must stand still like the others'.
      const [answers] = await Promise.all([
        Promise.all(asked.map((member) => questions.ask(member, request, withinMs))),
        settleOwnPosition(parts, term, askedAt + OWN_POSITION_LIMIT_MS),
      ]);
      const votes = answers.filter((answer): answer is VoteAnswer => answer !== null);
      const earlier = (before?.answers ?? []).filter(
        ({ node, granted }) => granted && !votes.some((one) => one.granted && one.node === node),
      );
      const all = [...votes.filter(({ node }) => !earlier.some((one) => one.node === node)), ...earlier];
      facts.votes = { term, startedAt, askedAt, complete: true, answers: all };
      log.info(
        { event: 'votes.collected', term, asked: asked.length, votes },
        `${votes.length} of ${asked.length} members voted`,
      );
    },

    askFailsafe: async ({ term }) => {
      const { hold } = facts;
      const sentAt = clock.now();
      facts.lastFailsafeAskAt = sentAt;
      const asked = everyMember(parts);
      if (hold?.facts.term !== term || asked === null) return;
      const request = { term, holder: self.node };
      const answers = await Promise.all(asked.map((member) => peers.failsafe(member, request, FAILSAFE_TIME_MS)));
      const refusals = answers.flatMap((answer, i) =>
        answer?.agree === true ? [] : [{ node: asked[i]?.node, why: answer?.why ?? 'no answer' }],
      );
      const extended = refusals.length === 0 && facts.hold === hold && hold.extendTo(sentAt + times.leaseDurationMs);
      log.warn(
        { event: 'failsafe.asked', term, extended, refusals },
        extended ? 'Consul does not answer; every member agreed to failsafe' : 'failsafe was not agreed to',
      );
    },
  };
}

/** The members that stand and those that are about to: one that may take over must not go unasked. */
function everyMember({ consul, facts, self }: Parts): readonly NodeAddress[] | null {
  if (!consul.members.known) return null;
  const { members, unreadable } = consul.members.value;
  // Nobody to ask is not the same as not to know whom.
  if (unreadable === true && members.length === 0) return null;
  const all = [...members, ...facts.pendingMembers];
  return all.filter(({ node }, i) => node !== self.node && all.findIndex((other) => other.node === node) === i);
}

async function settleOwnPosition(parts: Parts, term: number, until: Millis): Promise<void> {
  const { facts, log } = parts;
  try {
    facts.walTail = null;
    const obstacle = await stopReceiving(parts, until);
    if (obstacle !== null) throw new Error(obstacle);
    if (facts.hold?.facts.term === term) facts.walTail = await fetchWalTail(parts, facts.hold);
  } catch (error) {
    log.warn({ event: 'votes.own-position', term, why: messageOf(error) }, 'its own position may not be the last');
  }
}
