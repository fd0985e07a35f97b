export { type AgentSelf, type CheckStatus, type ServiceDefinition, type TtlCheck } from './agent-api';
export {
  type Answered,
  type CallOptions,
  type Consistency,
  type ConsulApi,
  type KvEntry,
  type KvListing,
  type KvRead,
  type Read,
  type ReadOptions,
  type SessionInfo,
  type SessionRequest,
} from './api';
export { systemClock, type Clock, type Millis, type Timer } from './clock';
export { ConsulClient, type PutOptions } from './consul-http';
export { ConsulError, NoAnswerError, isNoAnswer } from './errors';
export {
  ABSENT,
  defaultLeaseTimes,
  fenceStart,
  leaseEnd,
  leaseRanOut,
  leaseTimesProblems,
  sight,
  waitsUntil,
  type LeaseTimes,
  type PredecessorSight,
} from './lease';
export { LeaseHolder, type BeatResult, type LeaseHolderOptions, type Unanswered } from './lease-holder';
export {
  acquire,
  acquireOperations,
  beat,
  heartbeatOperations,
  release,
  releaseOperations,
  type AcquireRequest,
  type AlsoWrite,
  type BeatRequest,
  type Refused,
  type ReleaseRequest,
  type Unchanged,
  type Unchanging,
  type WriteResult,
  type Written,
} from './lock';
export { silentLog, type Log } from './log';
export { firstAnswer, type PathsOptions } from './paths';
export { type ReleaseOutcome } from './release-loop';
export { type HealthyService, type ServiceRead } from './service-health';
export { Session, type SessionOptions } from './session';
export {
  consulSettingsFromEnvironment,
  defaultRequestTimeoutMs,
  type ConsulSettings,
  type ConsulTls,
} from './settings';
export {
  opCas,
  opCheckIndex,
  opCheckNotExists,
  opCheckSession,
  opDelete,
  opDeleteCas,
  opGet,
  opLock,
  opSet,
  opUnlock,
  reasonOf,
  type RefusalReason,
  type TxnError,
  type TxnOperation,
  type TxnResult,
} from './transaction';
export {
  Watch,
  watchKey,
  watchService,
  type WatchCallbacks,
  type WatchOptions,
  type WatchSettings,
  type Watched,
} from './watch';
export { watchStep, type WatchAnswer, type WatchState, type WatchStep } from './watch-step';
export { runWhileLeader, type Leadership, type RunWhileLeaderOptions } from './leader';
export { readLeaderValue, type LeaderValue } from './leader-value';
