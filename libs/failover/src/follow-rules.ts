import type { MasterValue, Upstream } from '@ha-postgres/cluster-state';
import { judge, RECEIVE_FROM_NOBODY, runningMaster, upstreamOf } from './following';
import type { Observation } from './observation';
import type { Memory, Outcome, Rule, Rules } from './outcome';
import { beginningRules } from './rejoin-rules';
import { isAwaitedSuccessor, isMasterCleared, keepsVote } from './takeover';

/** PostgreSQL sleeps for `wal_retrieve_retry_interval` (500 ms) before it looks for more WAL on disk; before that, "at its end" may be early. */
const REPLAY_SETTLES_MS = 1000;
/** A startup process that was starved in that very sleep looks as if it were at the end; not so twice, that far apart. */
const LOOKS_APART_MS = 500;

/** A node without the lock: it follows the running Master, or waits for one. */
export const followRules: Rules = {
  nodeKnowsNothingYet: (o) => (!o.master.known && o.published === null ? { role: null, instruction: null } : null),

  stoppedMasterStandsBack: (o, memory) =>
    o.now < memory.standBackUntil &&
    o.runner.known &&
    o.runner.value.postgres.pid === null &&
    runningMaster(o) === null &&
    !isAwaitedSuccessor(o)
      ? { role: 'Replica', instruction: { kind: 'wait' }, wakeAt: memory.standBackUntil }
      : null,

  voterReceivesFromNobody: (o) => (keepsVote(o) ? RECEIVE_FROM_NOBODY : null),

  nodeWhoseDataIsUnreadableRejoins: beginningRules.nodeWhoseDataIsUnreadableRejoins,

  emptyNodeClonesTheMaster: (o) => {
    const master = runningMaster(o);
    if (master === null || !isEmpty(o)) return null;
    if (o.disk.dataTerm === master.term) return followMaster(o, master);
    return {
      role: 'Replica',
      instruction: { kind: 'wait' },
      actions: [{ type: 'recordDataTerm', term: master.term }],
    };
  },

  emptyNodeWaitsForAMaster: (o) =>
    o.runner.known && o.runner.value.data.state !== 'initialised'
      ? { role: 'Replica', instruction: { kind: 'wait' } }
      : null,

  divergedReplicaStopsToRejoin: beginningRules.divergedReplicaStopsToRejoin,

  replicaThatCannotCatchUpTakesANewCopy: beginningRules.replicaThatCannotCatchUpTakesANewCopy,

  replicaWaitsForTheHistory: withMaster((o, master) =>
    judge(o, master).kind === 'unknown' ? RECEIVE_FROM_NOBODY : null,
  ),

  /**
   * Written before the first byte of a new term can arrive: afterwards nobody could tell its WAL from that of the term before,
   * and a position beyond the fork would look diverged, or (where two Masters made the same timeline) an alien one look right.
   */
  replicaRecordsTheTermItIsAboutToFollow: withMaster((o, master, memory) => {
    if (o.disk.dataTerm === master.term) return null;
    const stood = replayStood(o, memory);
    return {
      ...RECEIVE_FROM_NOBODY,
      actions: [standsStill(o, stood) ? { type: 'recordDataTerm', term: master.term } : { type: 'readPostgres' }],
      memory: { stood },
    };
  }),

  replicaFollowsTheRunningMaster: withMaster(followMaster),

  /**
   * Nothing more comes from a Master that has released the lock. Were the same node elected again, its WAL of the new term
   * would come over the same connection before the term is on disk.
   */
  replicaTurnsAwayFromAMasterThatIsCleared: (o) => (isMasterCleared(o) ? follow(null) : null),

  /** As it is: who has turned away, for a vote or from a Master that is cleared, need not turn back to one that is gone. */
  replicaGoesOnWhileThereIsNoMaster: (o, memory) => {
    const now = o.published?.instruction;
    return follow(now?.kind === 'follow' ? now.upstream : memory.upstream);
  },
};

function follow(upstream: Upstream | null): Outcome {
  return { role: 'Replica', instruction: { kind: 'follow', upstream }, memory: { upstream } };
}

/** A Master runs: who did not take over when it was let go first may be let go first again the next time. */
function followMaster(o: Observation, master: MasterValue): Outcome {
  const upstream = upstreamOf(o, master);
  return { ...follow(upstream), memory: { upstream, passedOver: [] } };
}

function withMaster(rule: (o: Observation, master: MasterValue, memory: Memory) => Outcome | null): Rule {
  return (o, memory) => {
    const master = runningMaster(o);
    return master === null ? null : rule(o, master, memory);
  };
}

function isEmpty(o: Observation): boolean {
  return o.runner.known && ['empty', 'unfinished'].includes(o.runner.value.data.state);
}

/** The runner has cut off whoever sent WAL, and PostgreSQL was read since. */
function isCutOff({ published, postgres, runner }: Observation): boolean {
  if (published?.instruction.kind !== 'follow' || published.instruction.upstream !== null || !runner.known)
    return false;
  const { obeysIndex, receivingFrom } = runner.value;
  const hasObeyed = obeysIndex >= published.instructionIndex && receivingFrom === null && postgres.receiver === null;
  return hasObeyed && postgres.readAt !== null && postgres.readAt >= runner.seenAt;
}

/** The first look at which replay stood where it stands now, waiting for more WAL; null: it is not seen to stand. */
function replayStood(o: Observation, { stood }: Memory): NonNullable<Memory['stood']> | null {
  const { published, postgres } = o;
  const lsn = postgres.replayedLsn ?? postgres.lsn;
  if (!isCutOff(o) || published === null || !postgres.replayed || lsn === null || postgres.readAt === null) return null;
  if (stood?.since === published.since && stood.lsn === lsn) return stood;
  return { since: published.since, lsn, readAt: postgres.readAt };
}

/**
 * The position that was judged is the last, for nobody sends any more: all that came has been replayed, or replay has ended short of
 * it, as PostgreSQL has said twice. What is left then is the beginning of a record, and no WAL.
 */
function standsStill(o: Observation, stood: NonNullable<Memory['stood']> | null): boolean {
  const { published, postgres } = o;
  if (stood === null || published === null || postgres.readAt === null) return false;
  if (stood.lsn === postgres.lsn) return true;
  return o.now >= published.since + REPLAY_SETTLES_MS && postgres.readAt >= stood.readAt + LOOKS_APART_MS;
}
