import type { LedTerm } from '@ha-postgres/failover';
import type { Ticks } from './times';

/**
 * One state of the model: plain values, all of them small. Times are ticks from the owning node's now; ModifyIndexes, numbers of
 * beats and of answers are ranks (`normalise`), as only their order matters.
 */
export interface State {
  consul: Consul;
  nodes: Node[];
  /** Requests to Consul that are under way, and answers that are. They overtake each other. */
  messages: Message[];
  world: World;
}

export const NAMES = ['a', 'b', 'c'] as const;
export type Name = (typeof NAMES)[number];

export interface Entry {
  /** See `values.ts`. */
  value: string;
  index: number;
  session: string | null;
}

export interface Consul {
  master: Entry;
  members: Entry;
  sessions: string[];
}

/** What belongs to no node: the history of promotions, what may still happen, and what has been seen. */
export interface World {
  /** Promotions that were announced. */
  told: Promotion[];
  highestTerm: number;
  /** A node whose clock is slow has not advanced by as many ticks since it last stood still. */
  sinceStill: number;
  left: Budget;
  /** b has taken the lock once: until then b and c are alike, and it is b who does it first. */
  order: boolean;
  /** The list of members as it stood in Consul when a node asked for failsafe, which it may not know. */
  listed: Partial<Record<Name, string>>;
  /** Members that the Master takes for gone. */
  gone: Name[];
}

/** How often each of these may still happen. */
export interface Budget {
  crashes: number;
  deaths: number;
  sickness: number;
  gone: number;
}

export interface Promotion {
  term: number;
  parent: number;
  node: Name;
}

export interface Node {
  disk: DiskState;
  /** Null: its process does not run. */
  controller: Controller | null;
  runner: Runner;
  /** Its alive check fails, though PostgreSQL runs. */
  sick: boolean;
  /** End of the last promise (failsafe) that was given, whatever the node remembers of it. */
  vow: Ticks | null;
}

export interface DiskState {
  highestTerm: number;
  highestTermNode: string | null;
  highestIndex: number;
  dataTerm: number;
  ledTerm: number | null;
  led: LedTerm[];
  deadMaster: boolean;
  rejoining: number | null;
  votedTerm: number;
  promise: Ticks | null;
  hold: StoredHold | null;
}

export interface StoredHold {
  term: number;
  session: string;
  phase: Phase;
  waitUntil: Ticks | null;
  predecessor: Term;
  last: Term;
  parentTerm: number;
}

export type Phase = 'waiting' | 'promoting' | 'running' | 'draining';

export interface Term {
  node: string;
  term: number;
}

export interface Controller {
  /** Null: not read since it was started. */
  master: Sight | null;
  members: { list: Name[]; index: number } | null;
  /** When a consistent read was answered last. */
  answered: Ticks | null;
  highestIndexSeen: number;
  ending: { mode: 'fast' | 'immediate'; stops: boolean; standBack: Ticks; successor: string | null } | null;
  standBackUntil: Ticks | null;
  hold: Hold | null;
  acquiring: boolean;
  resuming: boolean;
  releasing: boolean;
  /** What is written in a beat of its own. */
  writing: 'running' | 'members' | null;
  votedFor: number | null;
  /** A question for failsafe. */
  asking: { sentAt: Ticks; term: number; asked: Name[]; agreed: Name[]; refused: Name[] } | null;
  lastAsk: Ticks | null;
  pending: Name[];
  published: Published | null;
  /** It has killed PostgreSQL itself since it published a stop. */
  ownKill: boolean;
  /** A read of `master` that was answered by Consul and has not arrived. */
  reading: { sentAt: Ticks; entry: Entry } | null;
}

export interface Sight {
  entry: Entry;
  firstSeen: Ticks;
  confirmed: Ticks;
}

export interface Hold {
  term: number;
  session: string;
  /** As told to observers of the key, and as it was confirmed. */
  announced: Phase;
  phase: Phase;
  mayHaveRun: boolean;
  /** A release was refused. */
  refused: boolean;
  waitUntil: Ticks | null;
  predecessor: Term;
  last: Term;
  parentTerm: number;
  record: Lease;
  /** A beat was sent in this tick. */
  beaten: boolean;
}

/** What a `LeaseRecord` keeps, as far as anything is asked of it here: not the numbers of beats, which come in no order anyway. */
export interface Lease {
  end: Ticks | null;
  lost: boolean;
  waiting: Ticks[];
  closed: boolean;
  standingIndex: number;
}

export interface Published {
  instruction: Instruction;
  /** Of the newest answer, and of the oldest that said the same. */
  index: number;
  instructionIndex: number;
  since: Ticks;
  validUntil: Ticks | null;
}

export type Instruction =
  | { kind: 'lead'; term: number }
  | { kind: 'stop'; mode: 'fast' | 'immediate' }
  /** WAL and from whom it comes are not looked at. */
  | { kind: 'follow' }
  | { kind: 'wait' }
  | { kind: 'blocked' };

export interface Runner {
  /** The newest answer that it has accepted. */
  answer: { index: number; instruction: Instruction; validUntil: Ticks | null } | null;
  armed: { index: number; term: number; validUntil: Ticks } | null;
  holdIndex: number;
  diedInTerm: number | null;
  postgres: 'standby' | 'promoting' | 'writable' | 'stopped';
}

export type Message = Beat | Acquire | Release;

interface Request {
  node: Name;
  session: string;
  value: string;
  sentAt: Ticks;
  /** Null: Consul has not seen it. */
  result: Result | null;
}

export interface Beat extends Request {
  kind: 'beat';
  number: number;
  also: { list: Name[]; over: number } | null;
  why: 'beat' | 'running' | 'members' | 'resume';
}

export interface Acquire extends Request {
  kind: 'acquire';
  decidedOn: number;
  members: number;
  takeOver: boolean;
}

export interface Release extends Request {
  kind: 'release';
  own: number;
}

/** Consul's answer to a transaction. */
export type Result =
  | { committed: true; entries: { key: string; index: number }[] }
  | { committed: false; errors: { operation: number; what: string }[] };

export function nodeOf(state: State, name: Name): Node {
  const node = state.nodes[NAMES.indexOf(name)];
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

/** Able to acknowledge a write: out of recovery, and alive. */
export function isWritable({ runner }: Node): boolean {
  return runner.postgres === 'writable';
}
