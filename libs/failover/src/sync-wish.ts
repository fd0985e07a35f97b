import type { SyncMode, SyncRule } from '@ha-postgres/cluster-state';
import { ASYNC } from './sync-set';

/** What the administrator asks for. */
export interface SyncWish {
  readonly mode: SyncMode;
  /** Replicas that confirm each commit. */
  readonly k: number;
  /** `strict`: commits wait while too few Replicas stream. `available`: they go on with fewer, down to none. */
  readonly durability: 'strict' | 'available';
}

/** Replicas as the Master sees them. */
export interface Replicas {
  /** Those that stream, are members and may be promoted, the preferred ones first. */
  readonly streaming: readonly string[];
  /** The names on the list of members. */
  readonly members: readonly string[];
}

/**
 * The rule as it should be. Whoever is named stays named as long as it streams: a change costs a round of confirmations. One
 * that went stays too where its place cannot be filled, for without it a strict rule would be no easier to fulfil.
 */
export function wantedRule(wish: SyncWish, current: SyncRule, { streaming, members }: Replicas): SyncRule {
  const { mode, k, durability } = wish;
  if (mode === 'async') return ASYNC;
  const stayed = current.names.filter((name) => streaming.includes(name));
  const able = [...stayed, ...streaming.filter((name) => !current.names.includes(name))];
  const reached = durability === 'available' ? Math.min(k, able.length) : k;
  const gone = current.names.filter((name) => !streaming.includes(name) && members.includes(name));
  const filled = able.length < reached ? [...able, ...gone] : able;
  const names = mode === 'sync' ? filled.slice(0, reached) : reached === 0 ? [] : filled;
  return { mode, k: reached, names: [...names].sort() };
}
