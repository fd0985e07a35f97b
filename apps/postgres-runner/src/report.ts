import type { DataDirectory, Divergence, Rejoined, RunnerPhase, RunnerReport } from '@ha-postgres/cluster-state';
import { millisToNanosText } from '@ha-postgres/service-kit';
import type { Problem, RejoinMark, Settings, Step, Task } from './core/facts';
import type { Memory } from './core/memory';
import type { PostmasterExit, RunningPostmaster } from './postgres/postmaster';

export interface ReportSource {
  readonly incarnation: string;
  readonly bootId: string;
  readonly memory: Memory;
  readonly step: Step;
  readonly exiting: boolean;
  readonly killing: boolean;
  readonly task: Task | null;
  readonly postmaster: RunningPostmaster | null;
  readonly exit: PostmasterExit | null;
  /** Whom the written `primary_conninfo` names. */
  readonly receivingFrom: string | null;
  readonly settings: Settings;
  readonly data: DataDirectory;
  readonly progress: RunnerReport['progress'];
  readonly failure: Problem | null;
  readonly rejoin: RejoinMark | null;
  readonly divergence: Divergence | null;
}

const TASK_PHASES: Readonly<Record<Task['kind'], RunnerPhase>> = {
  initialise: 'initialising',
  clone: 'cloning',
  rejoin: 'rejoining',
  wipe: 'stopping',
  stopFast: 'stopping',
};

function phaseOf({ exiting, killing, task, step, postmaster }: ReportSource): RunnerPhase {
  if (exiting) return 'exiting';
  if (killing) return 'stopping';
  if (task !== null) return TASK_PHASES[task.kind];
  if (step.kind === 'rest') return step.phase;
  return postmaster === null ? 'waiting' : 'starting';
}

function postgresOf({ postmaster, exit }: ReportSource): RunnerReport['postgres'] {
  return {
    pid: postmaster?.pid ?? null,
    startedAt: postmaster === null ? null : millisToNanosText(postmaster.startedAt),
    exit:
      exit === null
        ? null
        : { code: exit.code, signal: exit.signal, at: millisToNanosText(exit.at), asked: exit.asked },
    inRecovery: postmaster?.inRecovery ?? null,
  };
}

/** What the runner tells the controller. */
export function reportOf(source: ReportSource): RunnerReport {
  const { memory, step, killing, task, postmaster, failure, data } = source;
  const { state, systemId, fresh, timeline, cleanShutdown, checkpointLsn, timelines } = data;
  return {
    incarnation: source.incarnation,
    bootId: source.bootId,
    obeysIndex: memory.obeysIndex,
    phase: phaseOf(source),
    armed: memory.armed,
    stopped: postmaster === null && !killing && task === null && step.kind === 'rest' && step.holds,
    postgres: postgresOf(source),
    receivingFrom: source.receivingFrom,
    ...source.settings,
    data: {
      ...{ state, systemId, fresh, timeline, cleanShutdown, checkpointLsn },
      ...(timelines === undefined ? {} : { timelines }),
    },
    progress: source.progress,
    error: (step.kind === 'rest' ? step.problem : null) ?? failure,
    rejoined: rejoinedOf(source.rejoin),
    divergence: source.divergence,
    walGone: postmaster?.walGone ?? null,
  };
}

function rejoinedOf(mark: RejoinMark | null): Rejoined | null {
  if (mark === null || mark.stage === 'refused' || mark.stage === 'unfinished') return null;
  return { term: mark.term, how: mark.stage };
}

/** An exit that nobody asked for, in the words of PostgreSQL itself. */
export function exitProblem(lastFatal: string | null, { code, signal }: PostmasterExit): Problem {
  const how = signal === null ? `with ${code ?? 'no exit code'}` : `by ${signal}`;
  return { code: 'HAPG_POSTGRES_EXITED', message: `PostgreSQL ended ${how}: ${lastFatal ?? 'it said nothing'}` };
}
