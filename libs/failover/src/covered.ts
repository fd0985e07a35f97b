import type { Hold, Observation } from './observation';
import { rulesOf } from './sync-set';
import { syncOf } from './sync-view';
import { countVotes, overrides } from './vote-count';

/**
 * Whether this holder's data has every commit that was acknowledged before it: by its votes, or because it acknowledged them
 * itself. To be asked while the key still tells the rules before its own.
 */
export function coversAcknowledged(o: Observation, hold: Hold): boolean {
  const value = syncOf(o);
  // An administrator who lets it take over without enough votes says nothing of what is lost.
  if (value == null || overrides(o, hold)) return false;
  // Whoever wrote it may have promoted, and ended before it could say so: what that lost stays lost.
  const isUntold = value.term > (hold.last?.term ?? 0);
  if (isUntold && value.covered !== true) return false;
  return rulesOf(value).every(({ mode }) => mode !== 'async') && countVotes(o, hold).may;
}
