import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { clusterKeys, type NodeStatus } from '@ha-postgres/cluster-state';
import { readNodeStatus, type ClusterNode, type RemoteCluster } from '@ha-postgres/local-cluster';
import { eventually } from './wait-for';

/** Waits until a node says which commits it would lose, and stays blocked for it; its status then. */
export function refusal(node: ClusterNode): Promise<NodeStatus> {
  return eventually(`${node.name} to say what it would lose`, async () => {
    const status = await readNodeStatus(node.roleServerUrl);
    const isRefused = status?.runnerPhase === 'blocked' && status.rejoin?.startsWith('HAPG_REJOIN_WOULD_LOSE') === true;
    return isRefused ? status : null;
  });
}

export function streamsAgain(node: ClusterNode): Promise<unknown> {
  return eventually(`${node.name} to stream as a Replica`, async () => {
    const status = await readNodeStatus(node.roleServerUrl);
    return status?.role === 'Replica' && status.streaming && status.rejoin === null;
  });
}

/** What an administrator writes. */
export async function allowRejoin(cluster: RemoteCluster, node: string): Promise<void> {
  const { consul } = cluster.describe();
  const key = clusterKeys(consul.prefix).rejoin(node);
  const body = JSON.stringify({ id: randomUUID(), by: 'test' });
  const response = await fetch(`${consul.http}/v1/kv/${key}`, { method: 'PUT', body });
  if (!response.ok) throw new Error(`Consul answered ${response.status} to a write of ${key}`);
}

/** Directories of WAL that was given up. */
export function keptWal({ dataDir }: ClusterNode): string[] {
  return beside(dataDir).filter((name) => name.includes('.diverged-wal-'));
}

/** Whatever the runner keeps beside a data directory. */
export function beside(dataDir: string): string[] {
  return readdirSync(dirname(dataDir)).filter((name) => name.startsWith(`${basename(dataDir)}.`));
}

/** Segments of WAL in a data directory. */
export function segments({ dataDir }: ClusterNode): string[] {
  return readdirSync(join(dataDir, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name));
}
