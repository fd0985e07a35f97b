/** What the simulator runs of this app. No other app imports it. */
export type { WalPlace } from './act/wal-segments';
export { peerEffects } from './act/peer-effects';
export { options, rules, type ControllerConfig } from './config';
export { createController, type Controller, type ControllerPorts } from './controller';
export { Disk, type Stored, type StoredHold } from './disk';
export type { Machine, MachineClock } from './machine';
export type { ControllerConsul, HeldPort, PeersPort, PostgresPort, ProcessesPort, StateStore, WalPort } from './ports';
export type { Parts } from './parts';
export { Answers } from './tell/answers';
export { takeReport } from './tell/take-report';
