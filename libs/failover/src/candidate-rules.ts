import type { MasterEntry, Observation } from './observation';
import type { Memory, Outcome, Rule, Rules } from './outcome';
import {
  bytesAtRisk,
  isAwaitedSuccessor,
  isCleared,
  isMasterCleared,
  keepsVote,
  lastMasterSeen,
  leaseRanOut,
  predecessorEndsAt,
  takeoverOutlook,
} from './takeover';
import { isAsync } from './sync-view';
import { overrides } from './vote-count';

/** How long others stand back for a successor that the last holder named. */
const SUCCESSOR_FIRST_MS = 1000;

/** A Replica that may take the lock: the key is free, or its holder's lease has run out. */
export const candidateRules: Rules = {
  candidateWaitsForItsAcquire: (o, memory) => (o.acquiring ? follow(o, memory) : null),

  candidateStandsBack: candidate((o, memory) =>
    o.now < memory.standBackUntil && !isAwaitedSuccessor(o)
      ? { ...follow(o, memory), wakeAt: memory.standBackUntil }
      : null,
  ),

  candidateWaitsForTheLastMasterAfterAColdStart: candidate((o, memory, entry) => {
    const until = o.startedAt + o.policy.coldStartWaitMs;
    return isColdStart(o, entry) && o.now < until ? { ...follow(o, memory), wakeAt: until } : null;
  }),

  candidateLetsTheNamedSuccessorGoFirst: candidate((o, memory, entry) => {
    const successor = entry.session === null ? (entry.value?.successor ?? null) : null;
    const until = entry.firstSeenAt + SUCCESSOR_FIRST_MS;
    return successor !== null && successor !== o.self.node && o.now < until
      ? { ...follow(o, memory), wakeAt: until }
      : null;
  }),

  candidateTakesAFreeLock: candidate((o, memory, entry) =>
    entry.session === null ? acquire(o, memory, entry, false) : null,
  ),

  candidateTakesOverALeaseThatRanOut: candidate((o, memory, entry) =>
    leaseRanOut(entry, o.policy) ? acquire(o, memory, entry, true) : null,
  ),

  candidateConfirmsThatTheLeaseRanOut: candidate((o, memory, entry) =>
    o.now > predecessorEndsAt(entry, o.policy)
      ? { ...follow(o, memory), actions: [{ type: 'confirmMaster' }], wakeAt: o.now + 50 }
      : null,
  ),
};

function candidate(rule: (o: Observation, memory: Memory, entry: MasterEntry) => Outcome | null): Rule {
  return (o, memory) => {
    const entry = o.master.known ? o.master.value.entry : null;
    if (entry === null || (entry.session !== null && o.now <= predecessorEndsAt(entry, o.policy))) return null;
    return takeoverOutlook(o).able ? rule(o, memory, entry) : null;
  };
}

function acquire(o: Observation, memory: Memory, entry: MasterEntry, takeOver: boolean): Outcome {
  const term = Math.max(entry.value?.term ?? 0, o.disk.highestTerm, o.votedTerm) + 1;
  return { ...follow(o, memory), actions: [{ type: 'acquire', term, decidedOn: entry.modifyIndex, takeOver }] };
}

/** The whole cluster may just have been started: this node never saw the last Master run, and might lack its last writes. */
function isColdStart(o: Observation, entry: MasterEntry): boolean {
  if (o.masterSeenRunningAt !== null || entry.value === null || o.postgres.lsn === null) return false;
  const last = lastMasterSeen(o);
  // Synchronously, votes tell what was acknowledged, and not time.
  if (last?.node === o.self.node || !isAsync(o) || overrides(o, { last })) return false;
  return !(isCleared(entry) && bytesAtRisk(o, o.postgres.lsn) === 0);
}

/** As it is: who is about to take the lock need not turn to a Master that is gone, only to be turned away again. */
function follow(o: Observation, memory: Memory): Outcome {
  const now = o.published?.instruction;
  const upstream = now?.kind === 'follow' ? now.upstream : memory.upstream;
  const isOver = keepsVote(o) || isMasterCleared(o);
  return { role: 'Replica', instruction: { kind: 'follow', upstream: isOver ? null : upstream } };
}
