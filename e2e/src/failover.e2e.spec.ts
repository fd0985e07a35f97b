import { readNodeStatus } from '@ha-postgres/local-cluster';
import { nodeBehind, query } from './client';
import { eventually, newMaster } from './wait-for';
import { withCluster } from './with-cluster';

it('when the Master’s PostgreSQL is killed, a Replica takes over, the other follows it, and the old one rejoins by itself', () =>
  withCluster({}, async (cluster) => {
    const described = cluster.describe();
    const old = cluster.master?.name ?? '';
    const way = described.loadBalancers[0]?.masterPort ?? 0;
    await query(described, way, 'CREATE TABLE kept AS SELECT 1 AS id');

    await cluster.kill(`${old}/postgres`);
    const next = await newMaster(cluster, old);
    await eventually(
      `the master port to lead to ${next.name}`,
      async () => (await nodeBehind(described, way)) === next.name,
    );
    expect(await query(described, way, 'INSERT INTO kept VALUES (2) RETURNING id')).toEqual([{ id: 2 }]);

    for (const replica of described.nodes.filter(({ name }) => name !== next.name)) {
      await eventually(`${replica.name} to stream from ${next.name}`, async () => {
        const status = await readNodeStatus(replica.roleServerUrl);
        return status?.role === 'Replica' && status.streaming;
      });
      await eventually(`both rows on ${replica.name}`, async () => {
        const rows = await query<{ id: number }>(described, replica.postgresPort, 'SELECT id FROM kept ORDER BY id');
        return rows.length === 2;
      });
    }
  }));
