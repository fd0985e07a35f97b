import { isStopped } from './ending-rules';
import type { Millis, Observation } from './observation';
import { roleOf } from './rejoin-rules';
import type { Rules } from './outcome';

const WHY = 'out of recovery without the lock';

/**
 * Without the lock nothing may take writes, whoever promoted it: a hold that ended while this controller was away, or somebody by hand.
 * The runner fences such a server by itself; this is the second fence, for a runner that hangs.
 */
export const promotedPostgresRules: Rules = {
  nodeWithoutTheLockStopsAPromotedPostgres: (o) => {
    if (o.hold !== null || o.resuming || o.postgres.inRecovery !== false) return null;
    const told = toldAt(o);
    const killAt = (told ?? o.now) + o.policy.secondFenceMs;
    return {
      role: roleOf(o),
      instruction: { kind: 'stop', mode: 'immediate', why: WHY },
      actions: told !== null && o.now >= killAt && !isStopped(o) ? [{ type: 'killPostgres' }] : [],
      wakeAt: Math.max(o.now + 10, killAt),
    };
  },
};

/** Since when the runner is told to stop at once; null: it is not. */
function toldAt({ published }: Observation): Millis | null {
  return published?.instruction.kind === 'stop' && published.instruction.mode === 'immediate' ? published.since : null;
}
