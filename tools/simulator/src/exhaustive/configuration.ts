import type { Budget, Name } from './state';

/** What may happen in an exploration. Smaller ones that each go deep find more than one that has everything and goes nowhere. */
export interface Configuration {
  readonly name: string;
  readonly about: string;
  /** Nodes a, b and, if there is a third, c; a is the Master at the beginning. */
  readonly nodes: 2 | 3;
  /** On the list of members at the beginning; the others stream, and are put on it. */
  readonly members: readonly Name[];
  /** Not tagged `noFailover`. */
  readonly candidates: readonly Name[];
  /** Terms that may be acquired after the first. */
  readonly terms: number;
  /** Whose clock may run slower than the others', by as much as the margin allows. */
  readonly slow: Name | null;
  /** Beats of one node that may be under way at the same time; 0: they reach Consul at once. */
  readonly beats: number;
  /** Answers of Consul may take their time; else they come at once or never. */
  readonly lateAnswers: boolean;
  readonly failsafe: boolean;
  /** The controller kills PostgreSQL itself where its runner has not. */
  readonly secondFence: boolean;
  /** Sessions that have lost the lock and could only take it by a request without its guard. */
  readonly idleSessions: boolean;
  /** Answers to reads of `master` may come late. */
  readonly lateReads: boolean;
  /** Who may lose its session while it lives. */
  readonly sessionsEnd: boolean;
  readonly left: Budget;
  /** Steps from the beginning; null: until nothing new comes. */
  readonly depth: number | null;
}
