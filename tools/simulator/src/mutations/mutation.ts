import type { INVARIANTS } from '../check/invariants';

/** A mistake put into the source on purpose: the simulator must find it, or it could not find the like of it either. */
export interface Mutation {
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** One that the seeds must find. */
export interface SeedMutation extends Mutation {
  /** What such a mistake breaks: a seed that fails by anything else (a cluster that does not become whole) says nothing about it. */
  readonly breaks: readonly (keyof typeof INVARIANTS)[];
}

/** `find` stands in `file` exactly once. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
