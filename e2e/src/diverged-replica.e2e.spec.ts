import { processesUnder } from '@ha-postgres/local-cluster';
import { query } from './client';
import { allowRejoin, keptWal, refusal, streamsAgain } from './rejoining';
import { eventually, newMaster } from './wait-for';
import { withCluster } from './with-cluster';

it('a Replica that alone received an acknowledged commit stays down and says so, until it may give it up', () =>
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

    // It alone has a commit that was acknowledged: that is not for it to give up.
    const blocked = await refusal(ahead);
    expect(blocked.role).toBe('Replica');
    expect(blocked.divergence).toMatchObject({ commits: 1, keptAt: null });
    expect(processesUnder(ahead.dataDir)).toEqual([]);

    await allowRejoin(cluster, ahead.name);
    await streamsAgain(ahead);
    await eventually(
      'its row to be gone',
      async () => (await rowsOn(ahead.postgresPort).catch(() => null))?.length === 0,
    );
    expect(keptWal(ahead)).toHaveLength(1);

    await query(described, behind.postgresPort, 'INSERT INTO kept VALUES (2)');
    await eventually(
      `the new Master's row on ${ahead.name}`,
      async () => (await rowsOn(ahead.postgresPort))[0]?.id === 2,
    );
  }));
