import { waitFor, type ClusterNode, type RemoteCluster } from '@ha-postgres/local-cluster';

/** Bound of everything that a cluster is waited for, in milliseconds; a story that needs it all has failed anyway. */
const PATIENCE_MS = 60_000;

/** Waits until something holds. @throws Error naming it. */
export function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  timeoutMs = PATIENCE_MS,
): Promise<NonNullable<T>> {
  return waitFor(look, { what, timeoutMs, everyMs: 50 });
}

/** Waits until a node other than `old` is the only Master. */
export function newMaster(cluster: RemoteCluster, old: string): Promise<ClusterNode> {
  return eventually(`a Master other than ${old}`, () => {
    const { master } = cluster;
    return master?.name === old ? null : master;
  });
}

/** Waits until a node has a role. */
export function role(cluster: RemoteCluster, node: string, wanted: ClusterNode['role']): Promise<unknown> {
  return eventually(`${node} to be ${wanted ?? 'without an answer'}`, () => cluster.node(node).role === wanted);
}

/** Waits until there are a Master, streaming Replicas and the ways to them. */
export function settled(cluster: RemoteCluster): Promise<unknown> {
  return eventually('the cluster to settle', async () => (await cluster.whatIsMissing()) === null);
}
