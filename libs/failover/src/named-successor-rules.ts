import { runningMaster } from './following';
import type { Observation } from './observation';
import type { Rules } from './outcome';
import { BLOCKED, needsRejoin, roleOf } from './rejoin-rules';
import { lastMasterSeen } from './takeover';
import { overrides } from './vote-count';

/** Where the only data that is left is that of a node which had left the last Master's history, an administrator may go on with it. */
export const namedSuccessorRules: Rules = {
  namedSuccessorKeepsItsData: (o) =>
    needsRejoin(o) && isNamedSuccessor(o) && isUntouched(o)
      ? { role: roleOf(o), instruction: BLOCKED, actions: [{ type: 'readmitData' }], memory: { upstream: null } }
      : null,
};

/** No Master runs, and an administrator lets this node succeed the one that ran last. */
export function isNamedSuccessor(o: Observation): boolean {
  return runningMaster(o) === null && overrides(o, { last: lastMasterSeen(o) });
}

/** Stopped, and as it was when it was found that it had to rejoin. */
function isUntouched({ runner }: Observation): boolean {
  if (!runner.known) return false;
  const { phase, data, rejoined, postgres } = runner.value;
  const isAtRest = (phase === 'stopped' || phase === 'blocked') && postgres.pid === null;
  return isAtRest && data.state === 'initialised' && (rejoined ?? null) === null;
}
