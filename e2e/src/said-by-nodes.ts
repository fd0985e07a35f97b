import type { NodeStatus } from '@ha-postgres/cluster-state';
import { readNodeStatus, type RemoteCluster } from '@ha-postgres/local-cluster';
import { eventually } from './wait-for';

/** Waits until every node's own word is so. */
export async function everyNodeSays(
  cluster: RemoteCluster,
  what: string,
  holds: (status: NodeStatus) => boolean,
): Promise<void> {
  await eventually(`every node to say ${what}`, async () => {
    const asked = cluster.describe().nodes.map(({ roleServerUrl }) => readNodeStatus(roleServerUrl));
    return (await Promise.all(asked)).every((status) => status !== null && holds(status));
  });
}
