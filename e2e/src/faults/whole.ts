import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readNodeStatus, type ClusterNode, type RemoteCluster } from '@ha-postgres/local-cluster';
import { allServersVote } from '../consul-servers';
import { eventually } from '../wait-for';

const PATIENCE_MS = 120_000;

/**
 * Waits until there are a Master, streaming Replicas that could take over, the ways to them, and all Consul servers. What an
 * administrator does to nodes that would lose commits by rejoining is done here.
 * @returns how many nodes needed that.
 */
export async function becomesWhole(cluster: RemoteCluster): Promise<number> {
  const helped = new Set<string>();
  await eventually(
    'the cluster to be whole again',
    async () => {
      for (const node of cluster.describe().nodes) {
        if (helped.has(node.name) || !(await waitsForHands(node))) continue;
        helped.add(node.name);
        emptyData(node);
      }
      return (await cluster.whatIsMissing()) === null && (await allServersVote(cluster.describe()));
    },
    PATIENCE_MS,
  );
  return helped.size;
}

/** Waits until a node that has been Master is a Replica again; what an administrator does for that is done here. */
export async function joinsAgain(cluster: RemoteCluster, name: string): Promise<'by itself' | 'by hand'> {
  const helped = new Set<string>();
  await eventually(
    `${name} to be a Replica again`,
    async () => {
      const node = cluster.node(name);
      if (!helped.has(name) && (await waitsForHands(node))) {
        helped.add(name);
        emptyData(node);
      }
      return node.role === 'Replica';
    },
    PATIENCE_MS,
  );
  return helped.has(name) ? 'by hand' : 'by itself';
}

/** Takes back everything that a row that failed may have left: cuts, frozen processes, and those that are down. */
export async function takeBackEverything(cluster: RemoteCluster): Promise<void> {
  const { consul, nodes, loadBalancers, network } = cluster.describe();
  if (network !== null) await cluster.heal();
  for (const { name } of [...consul.servers, ...nodes, ...loadBalancers]) {
    // Nothing may run there.
    await cluster.thaw(name).catch(() => undefined);
    await cluster.start(name);
  }
}

async function waitsForHands({ roleServerUrl }: ClusterNode): Promise<boolean> {
  const status = await readNodeStatus(roleServerUrl);
  return status?.runnerPhase === 'blocked' && status.rejoin?.startsWith('HAPG_REJOIN_WOULD_LOSE') === true;
}

function emptyData({ dataDir }: ClusterNode): void {
  for (const entry of readdirSync(dataDir)) rmSync(join(dataDir, entry), { recursive: true });
}
