/** A mistake put into the source on purpose: the simulator must find it, or it could not find the like of it either. */
export interface Mutation {
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** `find` stands in `file` exactly once. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
