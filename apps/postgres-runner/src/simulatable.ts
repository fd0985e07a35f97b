/** What the simulator runs of this app. No other app imports it. */
export { NEW_MEMORY, accept, endedUnasked, hold, isDeadlinePassed, type Memory } from './core/memory';
export type { Facts, Step } from './core/facts';
export type { Problem, RejoinMark, Task } from './core/facts';
export { RULES, plan } from './core/plan';
export { chooseRejoin, isOwnData, whyNotRewound } from './core/rejoin-choice';
export { judgeTerm } from './core/upstream-term';
export type { Inspected } from './disk/inspect';
export type { Marks } from './disk/runner-state';
export type { RunnerMachine } from './machine';
export type { PostmasterExit, RunningPostmaster } from './postgres/postmaster';
export { Runner, type RunnerParts } from './runner';
export type { TaskContext } from './tasks';
