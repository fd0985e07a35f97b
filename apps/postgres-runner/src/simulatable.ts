/** What the simulator runs of this app. No other app imports it. */
export type { Problem, RejoinMark, Task } from './core/facts';
export { RULES } from './core/plan';
export { chooseRejoin, isOwnData, whyNotRewound } from './core/rejoin-choice';
export type { Inspected } from './disk/inspect';
export type { Marks } from './disk/runner-state';
export type { RunnerMachine } from './machine';
export type { PostmasterExit, RunningPostmaster } from './postgres/postmaster';
export { Runner, type RunnerParts } from './runner';
export type { TaskContext } from './tasks';
