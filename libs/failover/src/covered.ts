import type { SyncValue } from '@ha-postgres/cluster-state';
import { rulesOf } from './sync-set';

/**
 * Whether the votes for the holder of `term` covered every commit that a Master before it had acknowledged: each rule under which it
 * may have acknowledged asked for a Replica. What the holder itself wrote since counts only beside the rule before it.
 */
export function coversAcknowledged(value: SyncValue | null | undefined, term: number): boolean {
  if (value == null || (value.term >= term && value.previous === null)) return false;
  return rulesOf(value).every(({ mode, k, names }) => mode !== 'async' && k > 0 && names.length > 0);
}
