export { HaproxyRuntime, type CallOptions, type HaproxyRuntimeOptions } from './client';
export { action, query, type Command, type Query } from './command';
export { showBackend, showServersConnections, type ServerConnections } from './connections';
export type { RuntimeAddress } from './conversation';
export { addServer, deleteServer } from './dynamic-servers';
export { RuntimeError, type RefusalReason, type RuntimeErrorCode } from './errors';
export { showCliLevel, showInfo, showInfoJson, showInfoTyped, type CliLevel, type ProcessInfo } from './info';
export {
  addAcl,
  addMap,
  clearAcl,
  clearMap,
  deleteAcl,
  deleteMap,
  getAcl,
  getMap,
  setMap,
  showAcl,
  showAcls,
  showMap,
  showMaps,
  type AclEntry,
  type MapEntry,
  type PatternList,
} from './patterns';
export { readReply, type Reply } from './reply';
export {
  disableHealth,
  disableServer,
  enableHealth,
  enableServer,
  getWeight,
  setServerAddress,
  setServerCheckAddress,
  setServerCheckPort,
  setServerHealth,
  setServerMaxConnections,
  setServerState,
  setServerWeight,
  setWeight,
  shutdownSessions,
  type HostPort,
  type Weight,
} from './server-commands';
export {
  decodeAdminState,
  showServersState,
  type AdminState,
  type OperationalState,
  type ServerState,
} from './servers-state';
export { showSessions, type Session } from './sessions';
export { showStat, showStatJson, showStatTyped, type Stat, type StatFilter, type StatKind } from './stat';
export {
  clearTable,
  setTable,
  showTable,
  showTables,
  type StickCondition,
  type StickEntry,
  type StickSelection,
  type StickTable,
  type StickTableContents,
} from './tables';
export type { TypedFields, TypedObject, TypedValue } from './typed-fields';
export { type ServerRef } from './words';
