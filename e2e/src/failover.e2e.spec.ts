import { readNodeStatus } from '@ha-postgres/local-cluster';
import { nodeBehind, query } from './client';
import { eventually, newMaster, role } from './wait-for';
import { withCluster } from './with-cluster';

it('when the Master’s PostgreSQL is killed, a Replica takes over, the other follows it, and the old one stays fenced', () =>
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

    await role(cluster, old, 'DeadMaster');
    expect(cluster.node(old).processes.postgres).toBeNull();

    const other = described.nodes.find(({ name }) => name !== old && name !== next.name);
    if (other === undefined) throw new Error('a cluster of three has a third node');
    await eventually(`${other.name} to stream from ${next.name}`, async () => {
      const status = await readNodeStatus(other.roleServerUrl);
      return status?.role === 'Replica' && status.streaming;
    });
    await eventually(`both rows on ${other.name}`, async () => {
      const rows = await query<{ id: number }>(described, other.postgresPort, 'SELECT id FROM kept ORDER BY id');
      return rows.length === 2;
    });
  }));
