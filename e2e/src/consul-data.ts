import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterFile, RemoteCluster } from '@ha-postgres/local-cluster';
import { leadingServer } from './consul-servers';
import { eventually } from './wait-for';

const TIMEOUT_MS = 10_000;

/** All Consul servers end, their data is removed, and they start again with nothing. The agents stay. */
export async function loseConsulsData(cluster: RemoteCluster): Promise<void> {
  const { servers } = cluster.describe().consul;
  for (const { name } of servers) await cluster.kill(`${name}/consul`, true);
  for (const { name } of servers) rmSync(join(cluster.workdir, name, 'consul'), { recursive: true, force: true });
  for (const { name } of servers) await cluster.start(`${name}/consul`);
  await eventually('a leader of the new Consul', () => leadingServer(cluster.describe()));
}

/** What `consul snapshot save` saves. */
export async function saveSnapshot(cluster: ClusterFile): Promise<Uint8Array> {
  const response = await fetch(`${await leaderOf(cluster)}/v1/snapshot`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`snapshot: ${response.status} ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** What `consul snapshot restore` does. */
export async function restoreSnapshot(cluster: ClusterFile, snapshot: Uint8Array): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(`${await leaderOf(cluster)}/v1/snapshot`, {
    method: 'PUT',
    body: Buffer.from(snapshot),
    signal,
  });
  if (!response.ok) throw new Error(`restore: ${response.status} ${await response.text()}`);
}

async function leaderOf(cluster: ClusterFile): Promise<string> {
  const leader = await eventually('a Consul leader', () => leadingServer(cluster));
  return cluster.consul.servers.find(({ name }) => name === leader)?.http ?? cluster.consul.http;
}
