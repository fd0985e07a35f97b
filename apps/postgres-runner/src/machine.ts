import { randomUUID } from 'node:crypto';
import type { TimelinePath } from '@ha-postgres/cluster-state';
import { bootId, systemClock, type Clock, type Log } from '@ha-postgres/service-kit';
import type { Problem, Task } from './core/facts';
import { inspect, type Expectation, type Inspected } from './disk/inspect';
import type { Marks } from './disk/runner-state';
import { TimelinePathReader } from './disk/timeline-path';
import { killAllIn } from './fence';
import { removeReplaced } from './postgres/base-backup';
import { carryOut, type TaskContext, type TaskTools } from './tasks';

/** Time, processes and data directory, as values: the simulator runs the same runner on machines of its own. */
export interface RunnerMachine {
  readonly clock: Clock;
  readonly bootId: string;
  /** New at every start of a runner. */
  readonly incarnation: string;
  /** SIGKILLs every process of the data directory: sent before this returns; fulfilled when none is left. */
  killAll(): Promise<void>;
  /** What lies in the data directory. It never throws. */
  inspect(marks: Marks): Inspected;
  /** The timelines that the data of a running server went through; null: not known. */
  timelines?(): TimelinePath | null;
  /** Removes data that was kept until its replacement had been proven, if there is any; it does not wait for that. */
  removeReplaced(): void;
  /** Carries a task out to its end; what went wrong, or null. It does not throw. */
  carryOut(task: Task, context: TaskContext, onProgress: TaskTools['onProgress']): Promise<Problem | null>;
}

export function thisMachine(tools: Omit<TaskTools, 'onProgress'>, expectation: Expectation, log: Log): RunnerMachine {
  const timelines = new TimelinePathReader(tools.dataDir);
  return {
    clock: systemClock,
    bootId: bootId(),
    incarnation: randomUUID(),
    killAll: () => killAllIn(tools.dataDir, log),
    inspect: (marks) => inspect(tools.dataDir, marks, expectation),
    timelines: () => timelines.read(),
    removeReplaced: () => removeReplaced(tools.dataDir, log),
    carryOut: (task, context, onProgress) => carryOut(task, { ...tools, onProgress }, context),
  };
}
