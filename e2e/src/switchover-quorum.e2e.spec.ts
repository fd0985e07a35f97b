import { readNodeStatus } from '@ha-postgres/local-cluster';
import { handsOver } from './hands-over';
import { withCluster } from './with-cluster';

it('in quorum mode a switchover loses nothing either, and commits wait for Replicas again on the next Master', () =>
  withCluster({ settings: { replication: 'quorum' } }, async (cluster) => {
    const first = cluster.master?.name ?? '';
    await handsOver(cluster, null);
    await handsOver(cluster, first);
    const status = await readNodeStatus(cluster.node(first).roleServerUrl);
    expect(status?.sync).toMatchObject({ mode: 'quorum', k: 1, waiting: false });
  }));
