import type { Action } from './actions';
import type { Hold, Millis, Observation } from './observation';
import type { Memory, Outcome, Rule } from './outcome';
import { leadSettings } from './sync-view';

/** Situations of a node with a hold, and what it is told in them. */

export type HolderRule = (o: Observation, memory: Memory, hold: Hold) => Outcome | null;

/** It may take writes: until it has stopped also while it drains. */
export function isLeading({ phase }: Hold): boolean {
  return phase === 'running' || phase === 'draining';
}

export function whileWaiting(rule: HolderRule): Rule {
  return (o, memory) => (o.hold !== null && !isLeading(o.hold) ? rule(o, memory, o.hold) : null);
}

export function whileRunning(rule: HolderRule): Rule {
  return (o, memory) => (o.hold !== null && isLeading(o.hold) ? rule(o, memory, o.hold) : null);
}

/** A hold whose node has not asked PostgreSQL to promote yet, and must judge whether it may. */
export function beforePromotion(rule: HolderRule): Rule {
  return whileWaiting((o, memory, hold) => (isBootstrap(hold) || hasPromoted(o, hold) ? null : rule(o, memory, hold)));
}

/** While the predecessor's lease runs its WAL may still arrive, and what arrives is not lost. */
export function stillReceiving(memory: Memory): Outcome {
  return { role: 'Replica', instruction: { kind: 'follow', upstream: memory.upstream } };
}

export const RECEIVE_FROM_NOBODY: Outcome = { role: 'Replica', instruction: { kind: 'follow', upstream: null } };

/** No Master ever ran: the creator's hold, the first of all or one after a first that ended early. There is nothing to vote on. */
export function isBootstrap(hold: Hold): boolean {
  return hold.last === null;
}

/** So long after its predecessor's lease a holder goes on asking for votes. */
const VOTES_TIME_MS = 2000;

/** Until then it may lack votes; only what comes afterwards is the promotion, which has a time of its own. */
export function mayAskForVotesUntil(hold: Hold): Millis {
  const began = Math.max(hold.acquiredAt, hold.waitUntil);
  return isBootstrap(hold) ? began : began + VOTES_TIME_MS;
}

/** `pg_promote` was asked for in this very hold: votes have been counted, there is no way back but the end of the hold. */
export function hasPromoted(o: Observation, hold: Hold): boolean {
  return o.disk.ledTerm === hold.term;
}

/** The runner has acknowledged this hold's Master role, and a deadline that has not passed: it fences by itself from now on. */
export function isArmed(o: Observation, hold: Hold): boolean {
  if (!o.runner.known || o.published?.instruction.kind !== 'lead') return false;
  const { armed } = o.runner.value;
  if (armed?.term !== hold.term || armed.index < o.published.instructionIndex) return false;
  return Number(BigInt(armed.validUntil)) / 1e6 > o.now;
}

export function lead(o: Observation, hold: Hold, actions: readonly Action[]): Outcome {
  return {
    role: 'Master',
    instruction: { kind: 'lead', term: hold.term, ...leadSettings(o, hold) },
    actions,
    wakeAt: hold.endsAt - o.policy.fenceTimeMs,
  };
}

/** 1–2 s, at random, so that those who gave up do not meet again. */
export function standBack(o: Observation): number {
  return 1000 + o.chance * 1000;
}
