import type { Millis } from '@ha-postgres/service-kit';
import type { ClusterView, MasterSight } from './cluster-view';
import { writer } from './plan-backends';

/** When new clients of the master port wait for a Master instead of being refused. */
export type HoldMode = 'switchover' | 'always' | 'never';

/** What is remembered of a time without a Master. */
export type HoldState =
  | { readonly kind: 'none' }
  | { readonly kind: 'holding'; readonly since: Millis }
  /** Held long enough: refused until a Master has run again. */
  | { readonly kind: 'over' };

export const NOT_HOLDING: HoldState = { kind: 'none' };

/** The Master stops, or has stopped, for a named successor. */
function isSwitchover({ value }: MasterSight): boolean {
  return value?.phase === 'draining' && value.successor !== null;
}

/**
 * A hold that has begun goes on, whoever takes the lock, until a Master runs or `timeoutMs` are over: the way to the next Master
 * leads through values that know nothing of the switchover.
 */
export function nextHold(
  before: HoldState,
  { master }: ClusterView,
  mode: HoldMode,
  now: Millis,
  timeoutMs: Millis,
): HoldState {
  if (mode === 'never' || !master.told || writer(master.value) !== null) return NOT_HOLDING;
  if (before.kind === 'none') {
    return mode === 'always' || isSwitchover(master.value) ? { kind: 'holding', since: now } : NOT_HOLDING;
  }
  return before.kind === 'holding' && now >= before.since + timeoutMs ? { kind: 'over' } : before;
}
