import type { Fact, MasterSight } from '@ha-postgres/failover';
import type { Millis } from '@ha-postgres/service-kit';

/** After so many heartbeats without one the Master is taken for gone, long before its lease has ended. */
const BEATS_MISSED = 2;

/**
 * Whether there is a Master that a Replica should stream from now. While there is none, nobody streams, and a Replica that
 * does not is none the worse for reading. Without an answer of Consul nothing is known to be missing.
 */
export function hasMasterToStreamFrom(master: Fact<MasterSight>, now: Millis, heartbeatIntervalMs: Millis): boolean {
  if (!master.known) return true;
  const overdueMs = heartbeatIntervalMs * BEATS_MISSED;
  if (now - master.seenAt > overdueMs) return true;
  const { entry } = master.value;
  if (entry?.session == null || entry.value?.phase !== 'running') return false;
  return now - entry.firstSeenAt <= overdueMs;
}
