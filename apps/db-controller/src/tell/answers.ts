import type { FailsafeAnswer, FailsafeRequest, VoteAnswer, VoteRequest } from '@ha-postgres/cluster-state';
import { mayPromiseFailsafe, mayVote, takeoverOutlook, type Observation } from '@ha-postgres/failover';
import { formatLsn } from '@ha-postgres/lsn';
import { resumeReplay, walReceiverStopped } from '@ha-postgres/pg-health';
import { messageOf, monotonicNow } from '@ha-postgres/service-kit';
import { pause } from '../act/postgres-effects';
import type { Parts } from '../parts';

/** A vote must be there within 150 ms to be counted; what cannot be done by then is refused. */
const VOTE_LIMIT_MS = 140;
const POLL_MS = 3;

/** Answers to other nodes' questions. What is agreed to is on disk before it is said. */
export class Answers {
  constructor(
    private readonly parts: Parts,
    private readonly observation: () => Observation,
  ) {}

  failsafe(request: FailsafeRequest): FailsafeAnswer {
    const { consul, disk, self, policy, log } = this.parts;
    // From its receipt: later than the holder's sending, so the promise outlives the lease that rests on it.
    const receivedAt = monotonicNow();
    const consent = mayPromiseFailsafe(this.observation(), request, consul.consistentAnswerAt);
    if (consent.agree) disk.promise(receivedAt + policy.leaseDurationMs + policy.driftMarginMs);
    log.info(
      { event: 'failsafe.answered', holder: request.holder, term: request.term, ...consent },
      `failsafe for ${request.holder}: ${consent.why}`,
    );
    return { node: self.node, term: request.term, ...consent };
  }

  async vote(request: VoteRequest): Promise<VoteAnswer> {
    const { disk, log, poke } = this.parts;
    const until = monotonicNow() + VOTE_LIMIT_MS;
    const consent = mayVote(this.observation(), request);
    if (!consent.agree) return this.answer(request, false, consent.why);
    disk.update({ votedTerm: request.term, highestTerm: Math.max(disk.record.highestTerm, request.term) });
    poke();
    const obstacle = await this.stopReceiving(until).catch((error: unknown) => messageOf(error));
    const answer = this.answer(request, obstacle === null, obstacle ?? consent.why);
    log.info(
      { event: 'vote.given', for: request.candidate, ...answer },
      `vote for ${request.candidate} in term ${request.term}`,
    );
    return answer;
  }

  /** Null once this node receives WAL from nobody and its position stands still; else why not. */
  private async stopReceiving(until: number): Promise<string | null> {
    const { postgres } = this.parts;
    while (!this.runnerReceivesFromNobody()) {
      if (monotonicNow() > until) return 'the runner has not cut the WAL receiver off in time';
      await pause(POLL_MS);
    }
    if (!this.runs()) return null;
    await resumeReplay(postgres.connection);
    const stopped = await walReceiverStopped(postgres.connection, { limitMs: Math.max(1, until - monotonicNow()) });
    if (!stopped) return 'the WAL receiver did not stop in time';
    await postgres.refresh();
    while (!postgres.sight.replayed && monotonicNow() < until) {
      await pause(POLL_MS);
      await postgres.refresh();
    }
    return null;
  }

  private runs(): boolean {
    const { facts } = this.parts;
    return facts.runner.known && facts.runner.value.postgres.pid !== null;
  }

  /** The runner obeys an answer that says so (the loop has published one since the vote was recorded). */
  private runnerReceivesFromNobody(): boolean {
    const { facts, publisher } = this.parts;
    if (!facts.runner.known || publisher.published === null) return false;
    const report = facts.runner.value;
    if (report.stopped) return true;
    const { instruction, instructionIndex } = publisher.published;
    const asked = instruction.kind !== 'follow' || instruction.upstream === null;
    return asked && report.obeysIndex >= instructionIndex && report.receivingFrom === null;
  }

  private answer(request: VoteRequest, granted: boolean, why: string): VoteAnswer {
    const { self, disk, policy, postgres } = this.parts;
    const { lsn, replayed } = postgres.sight;
    const outlook = takeoverOutlook(this.observation());
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
    };
  }
}
