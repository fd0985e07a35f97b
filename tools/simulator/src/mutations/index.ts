import { LEASE_MUTATIONS } from './lease';
import type { SeedMutation } from './mutation';
import { NODE_MUTATIONS } from './node';
import { REJOIN_MUTATIONS } from './rejoin';
import { SYNC_MUTATIONS } from './sync';

/** All of them; `simulate --mutations` must catch each. */
export const MUTATIONS: readonly SeedMutation[] = [
  ...LEASE_MUTATIONS,
  ...NODE_MUTATIONS,
  ...SYNC_MUTATIONS,
  ...REJOIN_MUTATIONS,
];
