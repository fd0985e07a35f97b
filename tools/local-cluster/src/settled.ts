import type { Role } from '@ha-postgres/cluster-state';
import { Client } from 'pg';
import { readNodeStatus } from './node-status';
import { waitFor } from './waiting';

/** What is looked at of a cluster that is to settle; a local cluster's `ClusterFile` has it. */
export interface ClusterToSettle {
  readonly nodes: readonly { readonly name: string; readonly role: Role | null; readonly roleServerUrl: string }[];
  readonly loadBalancers: readonly {
    readonly name: string;
    readonly address: string;
    readonly masterPort: number;
    readonly standbyPort: number;
  }[];
  readonly users: { readonly superuser: { readonly name: string; readonly password: string } };
  /** Where the services tell what they do. */
  readonly logs: string;
}

/** What is still missing until the cluster has settled, in words; null: a Master, all others streaming, all load balancers leading there. */
export async function whatIsMissing(cluster: ClusterToSettle): Promise<string | null> {
  const masters = cluster.nodes.filter((node) => node.role === 'Master');
  if (masters.length !== 1) return `one Master (there are ${masters.length})`;
  const replicas = cluster.nodes.filter((node) => node.role !== 'Master');
  const streaming = await Promise.all(replicas.map(isInOrder));
  const idle = replicas.filter((_, index) => streaming[index] !== true).map((node) => node.name);
  if (idle.length > 0) return `${idle.join(', ')} streaming and able to take over`;
  const ports = cluster.loadBalancers.flatMap((lb) => [
    { name: `${lb.name}'s master port`, host: lb.address, port: lb.masterPort, inRecovery: false },
    ...(replicas.length > 0
      ? [{ name: `${lb.name}'s standby port`, host: lb.address, port: lb.standbyPort, inRecovery: true }]
      : []),
  ]);
  for (const { name, host, port, inRecovery } of ports) {
    if ((await isInRecovery(cluster, host, port)) !== inRecovery) return `an answer through ${name}`;
  }
  return null;
}

/** Waits until nothing is missing. @throws Error naming what still is. */
export async function waitUntilSettled(
  read: () => ClusterToSettle,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  let missing: string | null = 'everything';
  try {
    await waitFor(
      async () => {
        missing = await whatIsMissing(read());
        return missing === null;
      },
      { what: 'the cluster to settle', timeoutMs, everyMs: 200, signal },
    );
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Error(
      `the cluster has not settled within ${timeoutMs} ms: still missing ${missing}; see the logs in ${read().logs}`,
      { cause },
    );
  }
}

async function isInOrder(node: ClusterToSettle['nodes'][number]): Promise<boolean> {
  const status = await readNodeStatus(node.roleServerUrl);
  if (status?.role !== 'Replica' || !status.streaming) return false;
  // A Replica that streams is not on the list of members at once; before that nobody could take over.
  return status.takeover.able || status.tags.noFailover;
}

async function isInRecovery(cluster: ClusterToSettle, host: string, port: number): Promise<boolean | null> {
  const { name, password } = cluster.users.superuser;
  const client = new Client({
    host,
    port,
    user: name,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 1_000,
    query_timeout: 1_000,
  });
  // A connection that breaks is noticed by the query; without a listener it would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ recovery: boolean }>('SELECT pg_is_in_recovery() AS recovery');
    return rows[0]?.recovery ?? null;
  } catch {
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}
