import type { RoleAnswer } from '@ha-postgres/cluster-state';
import { nanosTextToMillis, type Millis } from '@ha-postgres/service-kit';

/** The moment from which PostgreSQL must be fenced, and the answer that set it. */
export interface Deadline {
  readonly index: number;
  readonly term: number;
  readonly validUntil: string;
}

/** What the runner remembers from one wake-up to the next. Never mutated. */
export interface Memory {
  /** The newest accepted answer. */
  readonly answer: RoleAnswer | null;
  /** The newest answer acted on. */
  readonly obeysIndex: number;
  /** Set from the acknowledgement of the Master role until nothing is left to fence. */
  readonly armed: Deadline | null;
  /** Answers up to this index start nothing: their deadline passed, or they were broken. */
  readonly holdIndex: number;
  /**
   * In this term PostgreSQL ended while armed. Beats go on until the controller has heard of it, so a `lead` of the same
   * term neither starts it again nor is acknowledged; any other instruction means that the controller has decided.
   */
  readonly diedInTerm: number | null;
}

export const NEW_MEMORY: Memory = {
  answer: null,
  obeysIndex: 0,
  armed: null,
  holdIndex: -1,
  diedInTerm: null,
};

/** This node in this boot: answers to others are ignored. */
export interface Self {
  readonly node: string;
  readonly bootId: string;
}

/** Why an answer is not accepted; null if it is. */
export function whyIgnored(memory: Memory, answer: RoleAnswer, self: Self): string | null {
  if (answer.node !== self.node) return `it is for node ${JSON.stringify(answer.node)}`;
  // Deadlines of another boot are numbers of another clock.
  if (answer.bootId !== self.bootId) return `it is of boot ${JSON.stringify(answer.bootId)}`;
  if (memory.answer !== null && answer.index <= memory.answer.index) {
    return `its index ${answer.index} is not above ${memory.answer.index}`;
  }
  return null;
}

/** Whether the answer lets PostgreSQL be out of recovery at `now`. */
export function isValidLead(answer: RoleAnswer, now: Millis): boolean {
  return answer.role === 'Master' && answer.instruction.kind === 'lead' && now < nanosTextToMillis(answer.validUntil);
}

/**
 * The deadline that holds once `answer` is accepted. A clean stop may take its time, but not more than the lease: it
 * keeps the deadline before it (or takes the answer's own, while the role is still Master).
 */
function deadlineAfter(memory: Memory, answer: RoleAnswer): Deadline | null {
  const { instruction, index, validUntil, role } = answer;
  if (instruction.kind === 'lead') {
    return instruction.term === memory.diedInTerm ? null : { index, term: instruction.term, validUntil };
  }
  if (instruction.kind !== 'stop' || memory.armed === null) return null;
  return role === 'Master' ? { index, term: memory.armed.term, validUntil } : memory.armed;
}

/** Takes a newer answer (see `whyIgnored`) as the one to obey. */
export function accept(memory: Memory, answer: RoleAnswer): Memory {
  return {
    ...memory,
    answer,
    armed: deadlineAfter(memory, answer),
    diedInTerm: answer.instruction.kind === 'lead' ? memory.diedInTerm : null,
  };
}

/** Whether the deadline has passed at `now`; it stays so until an answer with a higher index sets a new one. */
export function isDeadlinePassed(memory: Memory, now: Millis): boolean {
  return memory.armed !== null && now >= nanosTextToMillis(memory.armed.validUntil);
}

/** After a fence: nothing is started before an index above the newest known one. */
export function hold(memory: Memory): Memory {
  return { ...memory, armed: null, holdIndex: Math.max(memory.holdIndex, memory.answer?.index ?? -1) };
}

/** PostgreSQL ended without being asked to. A standby may be started again; in an armed term nothing is. */
export function endedUnasked(memory: Memory): Memory {
  return memory.armed === null ? memory : { ...memory, armed: null, diedInTerm: memory.armed.term };
}

/** PostgreSQL ended as it was told to: there is nothing left to fence, unless it is to lead (again). */
export function endedAsAsked(memory: Memory): Memory {
  return memory.answer?.instruction.kind === 'lead' ? memory : { ...memory, armed: null };
}

/** After a fence: the newest answer is the one that was fenced at, or an older one. */
export function isHeld({ answer, holdIndex }: Memory): boolean {
  return (answer?.index ?? -1) <= holdIndex;
}
