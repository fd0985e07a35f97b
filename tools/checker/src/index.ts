export { checkHistory, type Allowances } from './check';
export { openConnection, type ConnectionPlace, type OpenConnection } from './connection';
export {
  firstOnConnectionAfter,
  History,
  isAmbiguous,
  isClients,
  type AcknowledgedWrite,
  type EventOf,
  type HistoryEvent,
  type NodePlace,
  type Server,
  type StoredRange,
  type Write,
} from './history';
export { readEvents, readHistory, writeHistory } from './history-file';
export { Load, startLoad, type ClientKind, type LoadOptions } from './load';
export { longestGapAfter, outagesOf, type Outage } from './outages';
export { PLANTS, type Plant, type PlantKind } from './plant';
export { Recorder } from './recorder';
export {
  parseAddress,
  parseNode,
  readTargets,
  targetsOf,
  type Address,
  type ClusterDescription,
  type ConsulPlace,
  type Targets,
} from './targets';
export {
  describeVerdict,
  type Counts,
  type Verdict,
  type Violation,
  type ViolationKind,
  type WriterSeen,
} from './verdict';
export { Writer, type WriterOptions } from './writer';
export { makeWritesTable, readWrites, WRITES_TABLE } from './writes-table';
