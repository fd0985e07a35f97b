/** What the simulator's administrator uses of this app. No other app imports it. */
export { planBootstrap } from './bootstrap-plan';
export { planFailover } from './failover-plan';
export { pictureOf } from './picture';
export { ranked } from './ranking';
export { understand } from './read/keys';
export type { Answer } from './read/nodes';
export type { Reading } from './read/reading';
