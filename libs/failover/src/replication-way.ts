import type { Upstream } from '@ha-postgres/cluster-state';
import type { Observation } from './observation';
import { isAsync } from './sync-view';

/**
 * Through the load balancers, where that is wanted and safe. They lead to a new Master before this node knows of it, and may lead to
 * an old one for any time. So only with a slot: its name carries the term, and nobody has it but the Master of that term, so that
 * PostgreSQL itself refuses to send WAL of another. (Without, WAL could come of a term that is not on disk yet.) And never where
 * commits wait for Replicas: what was promised is told by the key, whatever this node's own options say.
 */
export function wayTo(o: Observation, upstream: Upstream): Upstream {
  const via = o.policy.replicationDoors ?? [];
  return via.length === 0 || upstream.slot === undefined || !isAsync(o) ? upstream : { ...upstream, via };
}
