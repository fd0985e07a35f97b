import type {
  FailsafeAnswer,
  FailsafeRequest,
  SeenByMember,
  VoteAnswer,
  VoteRequest,
  WalTailAnswer,
  WalTailRequest,
} from '@ha-postgres/cluster-state';
import { consulWentBack, mayPromiseFailsafe, mayVote, takeoverOutlook, type Observation } from '@ha-postgres/failover';
import { formatLsn } from '@ha-postgres/lsn';
import { messageOf } from '@ha-postgres/service-kit';
import { stopReceiving } from '../act/stop-receiving';
import { answerWalTail } from '../act/wal-tail';
import type { Parts } from '../parts';

/** A vote must be there by then to be counted, unless the candidate says that it waits longer. */
const VOTE_LIMIT_MS = 150;
/** However long a candidate would wait. */
const VOTE_LIMIT_MAX_MS = 1000;
/** The answer is on its way so long. */
const WAY_MS = 10;

/** Answers to other nodes' questions. What is agreed to is on disk before it is said. */
export class Answers {
  constructor(
    private readonly parts: Parts,
    private readonly observation: () => Observation,
  ) {}

  failsafe(request: FailsafeRequest): FailsafeAnswer {
    const { consul, disk, self, policy, log, clock } = this.parts;
    // From its receipt: later than the holder's sending, so the promise outlives the lease that rests on it.
    const receivedAt = clock.now();
    const consent = mayPromiseFailsafe(this.observation(), request, consul.consistentAnswerAt);
    if (consent.agree) disk.promise(receivedAt + policy.leaseDurationMs + policy.driftMarginMs);
    log.info(
      { event: 'failsafe.answered', holder: request.holder, term: request.term, ...consent },
      `failsafe for ${request.holder}: ${consent.why}`,
    );
    return { node: self.node, term: request.term, ...consent };
  }

  walTail(request: WalTailRequest): WalTailAnswer {
    return answerWalTail(this.parts, this.observation(), request);
  }

  async vote(request: VoteRequest): Promise<VoteAnswer> {
    const { disk, log, poke, clock } = this.parts;
    // What cannot be done by then is refused.
    const until = clock.now() + Math.min(request.withinMs ?? VOTE_LIMIT_MS, VOTE_LIMIT_MAX_MS) - WAY_MS;
    const consent = mayVote(this.observation(), request);
    if (!consent.agree) return this.answer(request, false, consent.why);
    disk.update({ votedTerm: request.term });
    poke();
    const obstacle = await stopReceiving(this.parts, until).catch((error: unknown) => messageOf(error));
    const answer = this.answer(request, obstacle === null, obstacle ?? consent.why);
    log.info(
      { event: 'vote.given', for: request.candidate, ...answer },
      `vote for ${request.candidate} in term ${request.term}`,
    );
    return answer;
  }

  private seen(o: Observation, { term, candidate }: VoteRequest): SeenByMember {
    const { highestTerm, highestTermNode, epoch, highestSyncVersion, highestModifyIndex } = o.disk;
    const stands = o.master.known ? o.master.value.entry?.value : null;
    // A member that is cut off goes by an answer that is old: it judges only the memory in which the one who asks holds the lock.
    const isOfTheAsker = stands?.term === term && stands.node === candidate;
    const isVote = o.votedTerm > highestTerm;
    return {
      epoch,
      term: isVote ? o.votedTerm : highestTerm,
      termNode: isVote ? null : highestTermNode,
      syncVersion: highestSyncVersion,
      modifyIndex: highestModifyIndex,
      wentBack: isOfTheAsker && highestTerm > 0 ? consulWentBack(o) : null,
    };
  }

  private answer(request: VoteRequest, granted: boolean, why: string): VoteAnswer {
    const { self, disk, policy, postgres } = this.parts;
    const { lsn, replayed } = postgres.sight;
    const observation = this.observation();
    const outlook = takeoverOutlook(observation);
    return {
      node: self.node,
      term: request.term,
      granted,
      why,
      dataTerm: disk.record.dataTerm,
      lsn: lsn === null ? null : formatLsn(lsn),
      replayed,
      candidate: outlook.able,
      failoverPriority: policy.tags.failoverPriority,
      noFailover: policy.tags.noFailover,
      seen: this.seen(observation, request),
    };
  }
}
