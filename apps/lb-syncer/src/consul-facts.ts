import { NO_LOAD_BALANCE_TAG, parseMaster, parseRole, type Role } from '@ha-postgres/cluster-state';
import type { HealthyService, KvEntry } from '@ha-postgres/consul-election';
import type { Instance, MasterSight, Told } from './cluster-view';

/** What an answer of Consul says, and what about it could not be believed. */
export interface Reading<T> {
  readonly value: T;
  readonly problems: readonly string[];
}

/**
 * Key `master`. A value that cannot be read does not end the route while the same session holds the key: its holder
 * goes on, and its next beat writes over the garbage. With another session, or none, it says nothing about who holds the key.
 */
export function readMaster(before: Told<MasterSight>, entry: KvEntry | null): Reading<MasterSight> {
  if (entry === null) return { value: { index: 0, session: null, value: null }, problems: [] };
  const parsed = parseMaster(entry.value);
  const { session, modifyIndex: index } = entry;
  if (parsed.ok) return { value: { index, session, value: parsed.value }, problems: [] };
  const isSameHold = before.told && session !== null && before.value.session === session;
  return {
    value: isSameHold ? before.value : { index, session, value: null },
    problems: [`key master: ${parsed.why}`],
  };
}

/** A node's role; one that cannot be read changes nothing. */
export function readRole(node: string, before: Role | null | undefined, entry: KvEntry | null): Reading<Role | null> {
  if (entry === null) return { value: null, problems: [] };
  const parsed = parseRole(entry.value);
  if (parsed.ok) return { value: parsed.value, problems: [] };
  return { value: before ?? null, problems: [`role of ${node}: ${parsed.why}`] };
}

const ID_PREFIX = 'postgres-';

const nodeOf = ({ id, meta }: HealthyService): string =>
  meta.node ?? (id.startsWith(ID_PREFIX) ? id.slice(ID_PREFIX.length) : id);

function portOf(value: number | string | undefined): number | null {
  const port = Number(value);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null;
}

/** The passing instances. One whose ports make no sense stays what it was before, if it was there. */
export function readInstances(
  before: Told<readonly Instance[]>,
  services: readonly HealthyService[],
): Reading<readonly Instance[]> {
  const problems: string[] = [];
  const value = services.flatMap((service) => {
    const node = nodeOf(service);
    const port = portOf(service.port);
    const apiPort = portOf(service.meta.apiPort);
    if (port !== null && apiPort !== null)
      return [
        { node, host: service.address, port, apiPort, noLoadBalance: service.tags.includes(NO_LOAD_BALANCE_TAG) },
      ];
    problems.push(`instance ${service.id}: port ${service.port}, apiPort ${JSON.stringify(service.meta.apiPort)}`);
    return before.told ? before.value.filter((instance) => instance.node === node) : [];
  });
  return { value, problems };
}
