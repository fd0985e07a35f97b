import type { DataDirectory } from '@ha-postgres/cluster-state';
import type { Action } from './actions';
import { consulWentBack } from './consul-memory';
import type { InitializeSight, MasterEntry, Observation } from './observation';
import type { Outcome, Rules } from './outcome';
import { lastMasterSeen, leaseRanOut, predecessorEndsAt } from './takeover';

/** How a cluster begins: one creator, who alone may run `initdb`; everybody else waits for a Master to copy. */
export const bootstrapRules: Rules = {
  /** Until Consul has said whether the stored hold stands, nothing is published: the last answer goes on being valid. */
  nodeWaitsForWordOfItsStoredHold: (o) => (o.resuming ? { role: null, instruction: null } : null),

  creatorInitialises: (o) =>
    o.holdsInitialize && !isMade(o) && o.runner.known && o.runner.value.data.state !== 'initialised'
      ? { role: 'Replica', instruction: { kind: 'initialise' } }
      : null,

  creatorFinishesTheBootstrap: (o) => {
    const data = dataOf(o);
    return o.holdsInitialize && !isMade(o) && data?.fresh === true && data.systemId !== null
      ? {
          role: 'Replica',
          instruction: { kind: 'wait' },
          actions: [{ type: 'finishBootstrap', systemId: data.systemId }],
        }
      : null;
  },

  creatorWipesWhatDidNotComeToPass: (o) => {
    const data = dataOf(o);
    const systemId = initializeOf(o)?.value?.systemId ?? null;
    return data?.fresh === true && systemId !== null && systemId !== data.systemId
      ? { role: 'Replica', instruction: { kind: 'wipe' } }
      : null;
  },

  nodeRefusesDataOfAnotherCluster: (o) => {
    const data = dataOf(o);
    const systemId = initializeOf(o)?.value?.systemId ?? null;
    if (data?.systemId === undefined || data.systemId === null || systemId === null || systemId === data.systemId)
      return null;
    return refuse(
      `the data directory belongs to another cluster (system identifier ${data.systemId}, this cluster's is ${systemId})`,
    );
  },

  nodeBecomesCreatorWhereThereIsNoCluster: (o) => {
    const initialize = initializeOf(o);
    const data = dataOf(o);
    if (initialize === null || data === null || !isUnclaimed(initialize) || !mayCreate(o)) return null;
    if (data.state === 'unusable') return null;
    if (data.state === 'initialised' && !data.fresh) {
      return refuse(
        'there is no cluster in Consul yet, but the data directory is not empty: an administrator must decide',
      );
    }
    return { role: 'Replica', instruction: { kind: 'wait' }, actions: [{ type: 'lockInitialize' }] };
  },

  /** Its first hold ended before any Master ran. Nobody else has data, so nobody else can ever take the lock. */
  creatorTakesItsLockAgain: (o) => {
    const data = dataOf(o);
    const entry = o.master.known ? o.master.value.entry : null;
    if (data?.fresh !== true || entry === null || !isItsOwnCluster(o, data)) return null;
    const takeOver = entry.session !== null;
    if (!mayTakeAgain(o, entry) || (takeOver && o.now <= predecessorEndsAt(entry, o.policy))) return null;
    const term = Math.max(entry.value?.term ?? 0, o.disk.highestTerm, o.votedTerm) + 1;
    const actions: Action[] =
      takeOver && !leaseRanOut(entry, o.policy)
        ? [{ type: 'confirmMaster' }]
        : [{ type: 'acquire', term, decidedOn: entry.modifyIndex, takeOver }];
    return { role: 'Replica', instruction: { kind: 'wait' }, actions };
  },

  /** Started as a standby it would lose the mark by which it can still be wiped, should another node's cluster be the one. */
  freshDataIsNotStartedAsAStandby: (o) =>
    dataOf(o)?.fresh === true ? { role: 'Replica', instruction: { kind: 'wait' } } : null,
};

/** Some cluster was made: by this creator, or by nodes that still hold the data of one that Consul has forgotten. */
function isMade(o: Observation): boolean {
  return (initializeOf(o)?.value?.systemId ?? null) !== null;
}

function isItsOwnCluster(o: Observation, data: DataDirectory): boolean {
  const systemId = initializeOf(o)?.value?.systemId ?? null;
  return systemId !== null && systemId === data.systemId;
}

function mayTakeAgain(o: Observation, entry: MasterEntry): boolean {
  const isNobodys = entry.value?.node === o.self.node && lastMasterSeen(o) === null;
  return isNobodys && !o.acquiring && o.now >= o.disk.promisedUntil && consulWentBack(o) === null && o.members.known;
}

function refuse(why: string): Outcome {
  return { role: 'Replica', instruction: { kind: 'stop', mode: 'fast', why } };
}

function dataOf(o: Observation): DataDirectory | null {
  return o.runner.known ? o.runner.value.data : null;
}

function initializeOf(o: Observation): InitializeSight | null {
  return o.initialize.known ? o.initialize.value : null;
}

function isUnclaimed(initialize: InitializeSight): boolean {
  return initialize.session === null && (initialize.value?.systemId ?? null) === null;
}

/** Where a cluster once was, an absent key means that Consul lost its memory: nobody begins anew then. */
function mayCreate(o: Observation): boolean {
  return (
    o.hold === null &&
    o.disk.highestTerm === 0 &&
    o.master.known &&
    o.master.value.entry === null &&
    !o.policy.tags.noFailover
  );
}
