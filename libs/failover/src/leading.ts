import type { Action } from './actions';
import type { Hold, Observation } from './observation';
import type { Memory, Outcome, Rule } from './outcome';

/** Judges a situation in which this node holds the lock. */
export type HolderRule = (o: Observation, memory: Memory, hold: Hold) => Outcome | null;

/** It may take writes: until it has stopped also while it drains. */
export function isLeading({ phase }: Hold): boolean {
  return phase === 'running' || phase === 'draining';
}

export function whileRunning(rule: HolderRule): Rule {
  return (o, memory) => (o.hold !== null && isLeading(o.hold) ? rule(o, memory, o.hold) : null);
}

export function lead(o: Observation, hold: Hold, actions: readonly Action[]): Outcome {
  return {
    role: 'Master',
    instruction: { kind: 'lead', term: hold.term },
    actions,
    wakeAt: hold.endsAt - o.policy.fenceTimeMs,
  };
}
