export { AliveCheck, type AliveCheckOptions, type AliveResult } from './alive-check';
export { classifyFailure } from './classify-failure';
export { checkpoint, promote, resumeReplay } from './commands';
export { type ConnectionTarget, type Queryable, type QueryOptions, type TlsOptions } from './connection-target';
export { FAILURE_MEANINGS, ServerFailure, hasServerAnswered, type FailureKind } from './failure-kind';
export { FailureThreshold, type ThresholdVerdict } from './failure-threshold';
export { HeldConnection, type HeldConnectionOptions } from './held-connection';
export { readServerState } from './read-server-state';
export { ReplicationCheck, whyNotStreaming, type ReplicationVerdict } from './replication-check';
export {
  type MasterState,
  type ReplicaState,
  type ServerState,
  type TimelineSource,
  type WalReceiver,
  type WalSender,
} from './server-state';
export { WalStall } from './wal-stall';
export { walReceiverStopped, type WalReceiverStoppedOptions } from './wal-receiver-stopped';
