import { query } from './client';
import { eventually, newMaster } from './wait-for';
import { withCluster } from './with-cluster';

it('what a Master acknowledged and had not sent when its PostgreSQL was killed is there on the next Master', () =>
  withCluster({ loadBalancers: 1 }, async (cluster) => {
    const described = cluster.describe();
    const old = cluster.master?.name ?? '';
    const port = cluster.node(old).postgresPort;
    await query(described, port, 'CREATE TABLE kept (id int)');
    const senders = await query<{ pid: number }>(described, port, 'SELECT pid FROM pg_stat_replication');
    expect(senders).toHaveLength(2);

    // Whoever sends WAL stands still: nothing that is committed from now on leaves the Master.
    for (const { pid } of senders) process.kill(pid, 'SIGSTOP');
    for (const id of [1, 2, 3]) await query(described, port, `INSERT INTO kept VALUES (${id})`);
    for (const { name, postgresPort } of described.nodes.filter((node) => node.name !== old)) {
      const there = await query(
        described,
        postgresPort,
        "SELECT 1 FROM pg_class WHERE relname = 'kept' AND pg_relation_size(oid) > 0",
      );
      expect([name, there]).toEqual([name, []]);
    }

    await cluster.kill(`${old}/postgres`);
    const next = await newMaster(cluster, old);
    // It has the role a moment before it has left recovery.
    await eventually(`${next.name} to take writes`, async () => {
      const [row] = await query<{ writable: boolean }>(
        described,
        next.postgresPort,
        'SELECT NOT pg_is_in_recovery() AS writable',
      );
      return row?.writable;
    });
    const rows = await query<{ id: number }>(described, next.postgresPort, 'SELECT id FROM kept ORDER BY id');
    expect(rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  }));
