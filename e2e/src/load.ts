import { startLoad, targetsOf, type AcknowledgedWrite, type Load, type LoadOptions } from '@ha-postgres/checker';
import type { ClusterFile, RemoteCluster } from '@ha-postgres/local-cluster';

/** A write that takes longer has failed. Long: how quick writes are is not judged here, but whether they are done. */
const TIMEOUT_MS = 10_000;

/** Clients that write through every load balancer of a cluster, and no prober unless it is asked for. */
export function loadOn(cluster: RemoteCluster, options: Partial<LoadOptions> = {}): Promise<Load> {
  const clients = [{ everyMs: 5, isFresh: false }];
  return startLoad({
    ...targetsOf(cluster.describe()),
    clients,
    probeEveryMs: null,
    timeoutMs: TIMEOUT_MS,
    ...options,
  });
}

/** The way of clients through the first load balancer alone. */
export function throughFirst(cluster: RemoteCluster): Pick<LoadOptions, 'masters'> {
  return { masters: targetsOf(cluster.describe()).masters.slice(0, 1) };
}

/** The node that acknowledged a write. */
export function nodeOf(cluster: ClusterFile, { acknowledgement }: AcknowledgedWrite): string {
  const { address } = acknowledgement.by;
  const node = cluster.nodes.find((one) => `${one.address}:${one.postgresPort}` === address);
  return node?.name ?? `somebody at ${address ?? 'a unix socket'}`;
}
