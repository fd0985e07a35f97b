import type {
  Admits,
  DataDirectory,
  Divergence,
  RejoinInstruction,
  RunnerPhase,
  Upstream,
} from '@ha-postgres/cluster-state';
import type { Millis } from '@ha-postgres/service-kit';
import type { RunnerErrorCode } from '../errors';
import type { Memory } from './memory';
import { isSameWay } from './stream-way';

/** Something that stands in the way, as it appears in the report. */
export interface Problem {
  readonly code: RunnerErrorCode;
  readonly message: string;
}

/** Work that takes longer than one wake-up. There is one at a time. */
export type Task =
  | { readonly kind: 'initialise' }
  | { readonly kind: 'wipe' }
  | { readonly kind: 'stopFast' }
  | { readonly kind: 'clone'; readonly upstream: Upstream }
  | { readonly kind: 'rejoin'; readonly instruction: RejoinInstruction };

/** How far an instruction to rejoin has been carried out; it outlives the runner. */
export interface RejoinMark {
  /** Term of the upstream. */
  readonly term: number;
  /**
   * `refused`: commits would be lost, nothing was changed. `unfinished`: the directory is neither the old data nor new data. The
   * others as in the report.
   */
  readonly stage: 'refused' | 'unfinished' | 'ancestor' | 'rewound' | 'copied';
}

/** PostgreSQL as it runs now. */
export interface RunningPostgres {
  readonly ready: boolean;
  readonly inRecovery: boolean;
  /** Whom the written `primary_conninfo` names. */
  readonly upstream: Upstream | null;
  /** WAL that it needs has been removed where it comes from. */
  readonly walGone: boolean;
}

/** What of PostgreSQL's configuration goes with the instruction. A running one takes it up without a restart. */
export interface Settings {
  readonly synchronousStandbyNames: string;
  readonly admits: Admits;
}

/** All that a plan is made of. */
export interface Facts {
  readonly now: Millis;
  readonly memory: Memory;
  /** The runner itself has been told to end. */
  readonly exiting: boolean;
  /** SIGKILL was sent, and some process of the data directory may be left. */
  readonly killing: boolean;
  readonly task: (Task & { readonly ending: boolean }) | null;
  readonly postgres: RunningPostgres | null;
  /** As they are written, and as a running PostgreSQL was told to read them. */
  readonly settings: Settings;
  readonly data: Pick<DataDirectory, 'state' | 'fresh'> & { readonly problem: Problem | null };
  readonly rejoin: RejoinMark | null;
  readonly divergence: Divergence | null;
  /** Nothing that failed before is begun again before this moment. */
  readonly retryAt: Millis;
}

/** What to do next. */
export type Step =
  /** SIGKILL to every process of the data directory; `hold`: and start nothing before a higher index. */
  | { readonly kind: 'kill'; readonly hold: boolean; readonly why: string }
  /** End the running task: its result is not wanted any more. */
  | { readonly kind: 'abort'; readonly why: string }
  /** The running task is what is wanted. */
  | { readonly kind: 'carryOn' }
  | { readonly kind: 'begin'; readonly task: Task }
  | { readonly kind: 'start'; readonly as: 'standby' | 'itself'; readonly upstream: Upstream | null }
  | { readonly kind: 'repoint'; readonly upstream: Upstream | null }
  | { readonly kind: 'configure'; readonly settings: Settings }
  /** What was copied cannot catch up either: another copy is taken in its place. */
  | { readonly kind: 'discardCopy' }
  | Rest;

/** Nothing to do until something changes. */
export interface Rest {
  readonly kind: 'rest';
  readonly phase: RunnerPhase;
  /** The answer is carried out as far as it can be now. */
  readonly obeyed: boolean;
  /** The present answer starts nothing any more, whatever else changes. */
  readonly holds: boolean;
  readonly problem: Problem | null;
}

/** A named decision: null if it does not apply. */
export type Rule = (facts: Facts) => Step | null;

export function rest(phase: RunnerPhase, problem: Problem | null = null): Step {
  return { kind: 'rest', phase, obeyed: true, holds: true, problem };
}

/** The problem, or what failed a moment ago, may go away: then this very answer is carried out further. */
export function restUntilBetter(phase: RunnerPhase, problem: Problem | null): Step {
  return { kind: 'rest', phase, obeyed: true, holds: false, problem };
}

/** Something that was begun has to end first. */
export function pending(phase: RunnerPhase): Step {
  return { kind: 'rest', phase, obeyed: false, holds: false, problem: null };
}

export function isSameUpstream(left: Upstream | null, right: Upstream | null): boolean {
  if (left === null || right === null) return left === right;
  return left.node === right.node && left.host === right.host && left.port === right.port;
}

/** Received from in the same way, too: by the same slot, or without one, and through the same load balancers, or straight. */
export function isSameReception(left: Upstream | null, right: Upstream | null): boolean {
  return isSameUpstream(left, right) && left?.slot === right?.slot && isSameWay(left, right);
}
