import type { Observation } from './observation';
import type { Outcome, Rules } from './outcome';
import { lastRunningMaster } from './takeover';

const BLOCKED: Outcome = {
  role: 'DeadMaster',
  instruction: {
    kind: 'blocked',
    why: 'was Master in a term after which another node ran as Master; its data may hold writes that the cluster does not. Empty the data directory to let it join as a Replica',
  },
};

/** A former Master is fenced until its data is known to be safe again. */
export const deadMasterRules: Rules = {
  emptiedDataIsForgotten: (o) =>
    hasLed(o) && o.runner.known && o.runner.value.data.state === 'empty'
      ? {
          role: o.disk.deadMaster ? 'DeadMaster' : 'Replica',
          instruction: { kind: 'wait' },
          actions: [{ type: 'forgetData' }],
        }
      : null,

  deadMasterStaysBlocked: (o) => (o.disk.deadMaster ? BLOCKED : null),

  formerMasterBecomesDeadMaster: (o) =>
    anotherRanAfter(o) ? { ...BLOCKED, actions: [{ type: 'recordDeadMaster' }] } : null,
};

function hasLed(o: Observation): boolean {
  return o.disk.deadMaster || o.disk.ledTerm !== null;
}

/** Another node ran as Master in a later term than the one that this node led. */
function anotherRanAfter(o: Observation): boolean {
  const { ledTerm } = o.disk;
  const value = o.master.known ? o.master.value.entry?.value : null;
  if (ledTerm === null || value === null || value === undefined) return false;
  const last = lastRunningMaster(value);
  return last !== null && last.node !== o.self.node && last.term > ledTerm;
}
