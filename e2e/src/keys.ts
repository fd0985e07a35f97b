import {
  parseHistory,
  parseLbStatus,
  parseMembers,
  parseSync,
  type HistoryValue,
  type LbStatus,
  type Parsed,
  type SyncValue,
} from '@ha-postgres/cluster-state';
import type { ClusterFile } from '@ha-postgres/local-cluster';

const TIMEOUT_MS = 2_000;

/** Key `sync` as Consul has it. @throws Error if it is not there or cannot be read. */
export function syncKey(cluster: ClusterFile): Promise<SyncValue> {
  return read(cluster, 'sync', parseSync);
}

export function historyKey(cluster: ClusterFile): Promise<HistoryValue> {
  return read(cluster, 'history', parseHistory);
}

/** The names of the nodes on the list of members. */
export async function membersKey(cluster: ClusterFile): Promise<string[]> {
  return (await read(cluster, 'members', parseMembers)).members.map(({ node }) => node).sort();
}

/** What a load balancer's lb-syncer says of its routes. */
export function lbStatusKey(cluster: ClusterFile, lb: string): Promise<LbStatus> {
  return read(cluster, `lb/${lb}/status`, parseLbStatus);
}

/** Writes a key as an administrator would. */
export async function writeKey(cluster: ClusterFile, key: string, value: object): Promise<void> {
  const response = await fetch(urlOf(cluster, key), {
    method: 'PUT',
    body: JSON.stringify(value),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`Consul did not take the key ${key}: ${response.status}`);
}

async function read<T>(cluster: ClusterFile, key: string, parse: (text: string) => Parsed<T>): Promise<T> {
  const response = await fetch(`${urlOf(cluster, key)}?raw`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await response.text();
  if (!response.ok) throw new Error(`Consul answered ${response.status} ${text} for the key ${key}`);
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(parsed.why);
  return parsed.value;
}

function urlOf({ consul }: ClusterFile, key: string): string {
  const [server] = consul.servers;
  if (server === undefined) throw new Error('the cluster has no Consul server');
  return `${server.http}/v1/kv/${consul.prefix}/${key}`;
}
