export type { Action, Effects } from './actions';
export { ancestry, type Ancestry } from './ancestry';
export { consulWentBack } from './consul-memory';
export { RULE_NAMES, decide } from './decide';
export { isStopped } from './ending-rules';
export type * from './observation';
export { NOTHING_REMEMBERED, type Decision, type Ending, type Memory, type Outcome } from './outcome';
export { mayPromiseFailsafe, mayVote, type Consent } from './peers';
export {
  comparePositions,
  isCleared,
  lastRunningMaster,
  leaseRanOut,
  predecessorEndsAt,
  takeoverOutlook,
} from './takeover';
