import type { ClusterFile } from '@ha-postgres/local-cluster';
import { query } from './client';
import { eventually, newMaster } from './wait-for';
import { withCluster } from './with-cluster';

const rowsOn = (described: ClusterFile, port: number) =>
  query<{ id: number }>(described, port, 'SELECT id FROM kept ORDER BY id');

/** Whoever sends WAL stands still: nothing that is committed from now on leaves the Master. */
async function freezeSenders(described: ClusterFile, port: number, count: number): Promise<void> {
  const senders = await eventually(`${count} senders of WAL`, async () => {
    const sql =
      "SELECT pid FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn = pg_current_wal_flush_lsn()";
    const rows = await query<{ pid: number }>(described, port, sql);
    return rows.length === count ? rows : null;
  });
  for (const { pid } of senders) process.kill(pid, 'SIGSTOP');
}

// Twice: the second time on a timeline that was made by a promotion, which a Replica's control file does not tell at once.
it('what a Master acknowledged and had not sent when its PostgreSQL was killed is there on the next Master, and on the one after', () =>
  withCluster({ loadBalancers: 1, settings: { rejoin: 'never' } }, async (cluster) => {
    const described = cluster.describe();
    let master = cluster.node(cluster.master?.name ?? '');
    const others = described.nodes.filter(({ name }) => name !== master.name);
    await query(described, master.postgresPort, 'CREATE TABLE kept (id int)');
    const expected: { id: number }[] = [];
    for (const id of [1, 2]) {
      await freezeSenders(described, master.postgresPort, 3 - id);
      await query(described, master.postgresPort, `INSERT INTO kept VALUES (${id})`);
      for (const { name, postgresPort } of others.filter((node) => node.name !== master.name)) {
        expect([name, await rowsOn(described, postgresPort)]).toEqual([name, expected]);
      }
      expected.push({ id });

      await cluster.kill(`${master.name}/postgres`);
      const next = await newMaster(cluster, master.name);
      // It has the role a moment before it has left recovery.
      await eventually(`${next.name} to take writes`, async () => {
        const sql = 'SELECT NOT pg_is_in_recovery() AS writable';
        const [row] = await query<{ writable: boolean }>(described, next.postgresPort, sql);
        return row?.writable;
      });
      expect(await rowsOn(described, next.postgresPort)).toEqual(expected);
      master = next;
    }
  }));
