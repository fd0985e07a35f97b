import type { Role, RunnerInstruction, Upstream } from '@ha-postgres/cluster-state';
import type { Lsn } from '@ha-postgres/lsn';
import type { Action } from './actions';
import type { Millis, Observation } from './observation';
import type { SyncProgress } from './sync-transition';

/** Why and how a hold ends. Once set it is never taken back: whoever wants to lead again needs a new hold. */
export interface Ending {
  readonly why: string;
  readonly since: Millis;
  /** `fast` becomes `immediate` when the clean stop takes too long. */
  readonly mode: 'fast' | 'immediate';
  /** A clean stop may take until then: the start of fencing by the lease that stood when it began. */
  readonly cleanUntil: Millis;
  readonly successor: string | null;
  /** Milliseconds to stand back after it. */
  readonly standBackMs: number;
  /** False: PostgreSQL was never promoted in this hold, can take no write, and goes on as the standby that it is. */
  readonly stops: boolean;
}

/** What must survive between decisions; returned, never changed in place. */
export interface Memory {
  readonly ending: Ending | null;
  /** Not a candidate before this. */
  readonly standBackUntil: Millis;
  /** Members that were let go first and did not take over: not let go first again before a Master runs. */
  readonly passedOver: readonly string[];
  /** The Master that this node follows, kept while there is none to see. */
  readonly upstream: Upstream | null;
  /** How far a change of the synchronous rule has come. */
  readonly sync: SyncProgress | null;
  /** The version of the rule under which PostgreSQL was first seen to show another than was written, and in which reading. */
  readonly altered?: { readonly version: number; readonly readAt: Millis } | null;
  /** Where replay was first seen to have come to its end short of what was received, under the instruction published at `since`. */
  readonly stood?: { readonly since: Millis; readonly lsn: Lsn; readonly readAt: Millis } | null;
}

export const NOTHING_REMEMBERED: Memory = {
  ending: null,
  standBackUntil: 0,
  passedOver: [],
  upstream: null,
  sync: null,
};

export interface Outcome {
  /** Null: not decided yet; nothing is published. */
  readonly role: Role | null;
  readonly instruction: RunnerInstruction | null;
  readonly actions?: readonly Action[];
  readonly memory?: Partial<Memory>;
  /** When the answer may change without anything new being seen. */
  readonly wakeAt?: Millis;
}

export interface Decision {
  readonly rule: string;
  readonly role: Role | null;
  readonly instruction: RunnerInstruction | null;
  readonly actions: readonly Action[];
  readonly memory: Memory;
  readonly wakeAt: Millis | null;
}

/** Judges one situation; null: not this one. */
export type Rule = (o: Observation, memory: Memory) => Outcome | null;
export type Rules = Readonly<Record<string, Rule>>;
