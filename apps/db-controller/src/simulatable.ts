/** What the simulator runs of this app. No other app imports it. */
export type { WalPlace } from './act/wal-segments';
export { options, rules, type ControllerConfig } from './config';
export { createController, type Controller, type ControllerPorts } from './controller';
export type { Machine, MachineClock } from './machine';
export type { ControllerConsul, HeldPort, PeersPort, PostgresPort, ProcessesPort, StateStore, WalPort } from './ports';
export { takeReport } from './tell/take-report';
