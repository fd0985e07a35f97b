import type { TimelinePath } from '@ha-postgres/cluster-state';
import type { Observation } from './observation';

/** The timelines that this node's data went through, as its runner last found them; null: not known. */
export function ownTimelines({ runner }: Pick<Observation, 'runner'>): TimelinePath | null {
  return runner.known ? (runner.value.data.timelines ?? null) : null;
}
