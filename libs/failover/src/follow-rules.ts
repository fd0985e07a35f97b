import type { MasterValue, Upstream } from '@ha-postgres/cluster-state';
import type { Action } from './actions';
import { ancestry } from './ancestry';
import type { Observation } from './observation';
import type { Outcome, Rules } from './outcome';
import { keepsVote } from './takeover';

/** A node without the lock: it follows the running Master, or waits for one. */
export const followRules: Rules = {
  nodeKnowsNothingYet: (o) => (!o.master.known && o.published === null ? { role: null, instruction: null } : null),

  stoppedMasterStandsBack: (o, memory) =>
    o.now < memory.standBackUntil && o.runner.known && o.runner.value.postgres.pid === null && runningMaster(o) === null
      ? { role: 'Replica', instruction: { kind: 'wait' }, wakeAt: memory.standBackUntil }
      : null,

  voterReceivesFromNobody: (o) =>
    keepsVote(o) ? { role: 'Replica', instruction: { kind: 'follow', upstream: null } } : null,

  emptyNodeClonesTheMaster: (o) => {
    const master = runningMaster(o);
    if (master === null || !o.runner.known || o.runner.value.data.state === 'initialised') return null;
    return followMaster(master);
  },

  emptyNodeWaitsForAMaster: (o) =>
    o.runner.known && o.runner.value.data.state !== 'initialised'
      ? { role: 'Replica', instruction: { kind: 'wait' } }
      : null,

  replicaFollowsTheRunningMaster: (o) => {
    const master = runningMaster(o);
    if (master === null) return null;
    const judged = ancestry(master, o.history.known ? o.history.value : null, o.disk, o.postgres);
    switch (judged.kind) {
      case 'ancestor':
        return followMaster(master, dataTermReached(o, master));
      case 'diverged':
        return { role: 'Replica', instruction: { kind: 'reclone', upstream: upstreamOf(master), why: judged.why } };
      case 'unknown':
        return { role: 'Replica', instruction: { kind: 'follow', upstream: null } };
    }
  },

  replicaGoesOnWhileThereIsNoMaster: (_o, memory) => follow(memory.upstream),
};

function follow(upstream: Upstream | null, actions: readonly Action[] = []): Outcome {
  return { role: 'Replica', instruction: { kind: 'follow', upstream }, actions, memory: { upstream } };
}

/** A Master runs: who did not take over when it was let go first may be let go first again the next time. */
function followMaster(master: MasterValue, actions: readonly Action[] = []): Outcome {
  const upstream = upstreamOf(master);
  return { ...follow(upstream, actions), memory: { upstream, passedOver: [] } };
}

/** The Master that holds the lock and takes writes, if it is another node. */
function runningMaster(o: Observation): MasterValue | null {
  const entry = o.master.known ? o.master.value.entry : null;
  if (entry?.value == null || entry.session === null) return null;
  return entry.value.phase === 'running' && entry.value.node !== o.self.node ? entry.value : null;
}

function upstreamOf(master: MasterValue): Upstream {
  return { node: master.node, host: master.host, port: master.port, apiPort: master.apiPort, term: master.term };
}

/** WAL of the Master's own timeline arrives from it: from now on this node's data is of its term. */
function dataTermReached(o: Observation, master: MasterValue): Action[] {
  const { receiver } = o.postgres;
  if (o.disk.dataTerm === master.term || !receiver?.streaming) return [];
  const fromIt = receiver.host === master.host && receiver.port === master.port;
  return fromIt && receiver.timeline >= master.timeline ? [{ type: 'recordDataTerm', term: master.term }] : [];
}
