import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readNodeStatus } from '@ha-postgres/local-cluster';
import { query } from './client';
import { eventually, newMaster } from './wait-for';
import { withCluster } from './with-cluster';

it('a Replica that had received more than the one that took over puts its data aside, takes a new copy and streams', () =>
  withCluster({ loadBalancers: 1 }, async (cluster) => {
    const described = cluster.describe();
    const old = cluster.node(cluster.master?.name ?? '');
    const [ahead, behind] = described.nodes.filter(({ name }) => name !== old.name);
    if (ahead === undefined || behind === undefined) throw new Error('a cluster of three has two Replicas');
    const rowsOn = (port: number) => query<{ id: number }>(described, port, 'SELECT id FROM kept ORDER BY id');
    await query(described, old.postgresPort, 'CREATE TABLE kept (id int)');
    await eventually('the table on both Replicas', async () => {
      const counts = await Promise.all(
        [ahead, behind].map(({ postgresPort }) => rowsOn(postgresPort).catch(() => null)),
      );
      return counts.every((rows) => rows !== null);
    });

    const sql = `SELECT pid FROM pg_stat_replication WHERE application_name = '${behind.name}'`;
    const [sender] = await query<{ pid: number }>(described, old.postgresPort, sql);
    process.kill(sender?.pid ?? 0, 'SIGSTOP');
    await query(described, old.postgresPort, 'INSERT INTO kept VALUES (1)');
    await eventually(`the row on ${ahead.name}`, async () => (await rowsOn(ahead.postgresPort)).length === 1);
    // It has the row, and can neither vote nor take over; the Master's node, which has it too, is lost.
    await cluster.freeze(`${ahead.name}/db-controller`);
    await cluster.kill(old.name);
    expect((await newMaster(cluster, old.name)).name).toBe(behind.name);
    await cluster.thaw(`${ahead.name}/db-controller`);

    await eventually(`${ahead.name} to stream from ${behind.name}`, async () => {
      const status = await readNodeStatus(ahead.roleServerUrl);
      const rows = await rowsOn(ahead.postgresPort).catch(() => null);
      return status?.role === 'Replica' && status.streaming && rows?.length === 0;
    });
    const asides = readdirSync(dirname(ahead.dataDir)).filter((name) =>
      name.startsWith(`${basename(ahead.dataDir)}.diverged`),
    );
    expect(asides).toHaveLength(1);

    await query(described, behind.postgresPort, 'INSERT INTO kept VALUES (2)');
    await eventually(
      `the new Master's row on ${ahead.name}`,
      async () => (await rowsOn(ahead.postgresPort))[0]?.id === 2,
    );
  }));
