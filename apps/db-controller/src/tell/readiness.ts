import type { Role } from '@ha-postgres/cluster-state';
import { isBarred, type Observation } from '@ha-postgres/failover';
import type { PostgresView } from '../observe/postgres-view';

export interface Readiness {
  readonly ready: boolean;
  readonly why: string;
}

type Told = Pick<PostgresView, 'lastInRecovery' | 'isReplicationFailing'>;

/** The part of an observation that this is read from. */
interface Seen {
  readonly postgres: Pick<Observation['postgres'], 'inRecovery'>;
  readonly runner: Observation['runner'];
}

/**
 * Whether the PostgreSQL that runs here is in recovery, as far as it has said; null: none runs, or it has not said so yet.
 * A single look without an answer would close every client's connection, so what it said before is believed until a check fails.
 */
export function toldRecovery(o: Seen, told: Pick<Told, 'lastInRecovery'>): boolean | null {
  const runs = o.runner.known && o.runner.value.postgres.pid !== null;
  return o.postgres.inRecovery ?? (runs ? told.lastInRecovery : null);
}

/** Whether clients may be sent here, as which role, and why (not). */
export function readiness(role: Role | null, o: Observation, told: Told): Readiness {
  const inRecovery = toldRecovery(o, told);
  if (role === 'Master') {
    // Told as soon as it takes writes, which is before the key says so: load balancers ask at once when they read the key.
    if (o.hold === null || inRecovery !== false) return { ready: false, why: 'not promoted yet' };
    if (isBarred(o, o.hold)) return { ready: false, why: 'waits until synchronous Replicas have everything' };
    return o.postgres.alive
      ? { ready: true, why: 'runs as Master' }
      : { ready: false, why: 'PostgreSQL does not answer' };
  }
  if (role !== 'Replica') return { ready: false, why: `role is ${role ?? 'not decided'}` };
  if (!o.postgres.alive || inRecovery !== true)
    return { ready: false, why: 'PostgreSQL is not running in standby mode' };
  if (o.disk.dataTerm === 0) return { ready: false, why: 'has not streamed from a Master yet' };
  return told.isReplicationFailing
    ? { ready: false, why: 'does not stream from the Master' }
    : { ready: true, why: 'streams as Replica' };
}
