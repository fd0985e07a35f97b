import type { Admits, SyncRule, SyncStatus, SyncValue } from '@ha-postgres/cluster-state';
import type { Hold, Observation } from './observation';
import { currentRule, namedIn, rulesOf, standbyNames } from './sync-set';
import { isConfirmed, type ServerSight } from './sync-transition';

/** The part of an observation that tells what is promised. */
export type SyncSeen = Pick<Observation, 'sync' | 'disk' | 'policy'>;

/** Why what is known of the key `sync` is not to be relied on; null: it is. */
export function syncProblem(o: Pick<Observation, 'sync' | 'disk'>): string | null {
  if (!o.sync.known) return `synchronous rule unknown: ${o.sync.why}`;
  const { value, isReadable } = o.sync.value;
  if (!isReadable) return 'what stands in the sync key cannot be read';
  const { highestSyncVersion } = o.disk;
  if ((value?.version ?? 0) >= highestSyncVersion) return null;
  return `Consul's memory went back (seen: version ${highestSyncVersion} of the synchronous rule): an administrator must name the Master`;
}

/** The key; undefined: not to be relied on. */
export function syncOf(o: Pick<Observation, 'sync' | 'disk'>): SyncValue | null | undefined {
  return syncProblem(o) === null && o.sync.known ? o.sync.value.value : undefined;
}

/** Rule and history are known by reads that were sent when the lock was known to be held, or written since. */
export function isFresh(
  { sync, history }: Pick<Observation, 'sync' | 'history'>,
  { provenAt }: Pick<Hold, 'provenAt'>,
) {
  return [sync, history].every((fact) => fact.known && fact.seenAt >= provenAt);
}

/** The number of the key that is written next. */
export function nextVersion(o: Pick<Observation, 'sync' | 'disk'>): number {
  const seen = o.sync.known ? (o.sync.value.value?.version ?? 0) : 0;
  return Math.max(seen, o.disk.highestSyncVersion) + 1;
}

/** The rules under which something was promised. The key decides, not this node's configuration: commits were acknowledged under it. */
export function promises(value: SyncValue | null): readonly SyncRule[] {
  return rulesOf(value).filter(({ mode }) => mode !== 'async');
}

/** Nothing was promised but what the Master itself keeps. */
export function isAsync(o: SyncSeen): boolean {
  const value = syncOf(o);
  return value === undefined ? o.policy.sync.mode === 'async' : promises(value).length === 0;
}

/** Named in the key: as long as it is, its vote may be needed. */
export function isNamed(o: Observation, node: string): boolean {
  const value = syncOf(o);
  return value === undefined ? o.policy.sync.mode !== 'async' : namedIn(value).has(node);
}

/**
 * A Master that is its own predecessor may show commits that no Replica has confirmed, and that nobody was told of. Clients see
 * them only when they cannot be lost any more.
 */
export function isBarred(o: SyncSeen & Pick<Observation, 'self'>, hold: Pick<Hold, 'term' | 'last'>): boolean {
  return hold.last?.node === o.self.node && o.disk.admittedTerm !== hold.term && !isAsync(o);
}

/** The synchronous Replicas have everything that this Master has, or none is needed. */
export function mayAdmitClients(o: Observation): boolean {
  const value = syncOf(o);
  if (value === undefined) return false;
  const rule = currentRule(value);
  if (rule.k === 0) return true;
  const server = serverSight(o);
  return server !== null && isConfirmed(rule, server.senders, server.position);
}

/** What `lead` says beside the term. Where the key is not known what stands goes on to stand. */
export function leadSettings(
  o: Observation,
  hold: Hold,
): { readonly synchronousStandbyNames?: string; readonly admits?: Admits } {
  const value = syncOf(o);
  const names = value == null ? {} : { synchronousStandbyNames: standbyNames(value) };
  return isBarred(o, hold) ? { ...names, admits: 'replication' } : names;
}

/** What the PostgreSQL of a Master says; null: nothing, or not as a Master. */
export function serverSight({ postgres }: Observation): ServerSight | null {
  const { readAt, inRecovery, lsn, synchronousStandbyNames, senders } = postgres;
  if (readAt === null || inRecovery !== false || lsn === null) return null;
  if (synchronousStandbyNames == null || senders === undefined) return null;
  return { readAt, standbyNames: synchronousStandbyNames, position: lsn, senders };
}

/** What a Master tells of it; null: nothing was ever promised, or it does not run yet. */
export function syncStatus(o: Observation): SyncStatus | null {
  const value = syncOf(o);
  if (o.hold?.phase !== 'running' || value == null) return null;
  const { mode, k, names, previous } = value;
  const streams = (name: string) => o.postgres.senders?.some((one) => one.name === name && one.streaming) === true;
  const streaming = names.filter(streams);
  const waiting = k > streaming.length;
  return { mode, k, names, streaming, waiting, settled: previous === null, barred: isBarred(o, o.hold) };
}
