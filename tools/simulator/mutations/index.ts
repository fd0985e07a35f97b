import { LEASE_MUTATIONS } from './lease';
import type { Mutation } from './mutation';
import { NODE_MUTATIONS } from './node';

/** All of them; `simulate --mutations` must catch each. */
export const MUTATIONS: readonly Mutation[] = [...LEASE_MUTATIONS, ...NODE_MUTATIONS];
