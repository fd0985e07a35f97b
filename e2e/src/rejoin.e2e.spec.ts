import { readNodeStatus, type RemoteCluster } from '@ha-postgres/local-cluster';
import { query } from './client';
import { masterKey } from './master-key';
import { allowRejoin, beside, keptWal, refusal, segments, streamsAgain } from './rejoining';
import { eventually, newMaster, settled } from './wait-for';
import { withCluster } from './with-cluster';

const FAILOVERS = 5;
const SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'physical' ORDER BY slot_name";

/** The Master alone commits a row, whose senders stand still, and is lost with its node; the node comes back. */
async function loseACommit(cluster: RemoteCluster, isAcknowledged = true): Promise<string> {
  const described = cluster.describe();
  const old = cluster.node(cluster.master?.name ?? '');
  await query(described, old.postgresPort, 'CREATE TABLE kept (id int)');
  const senders = await eventually('two senders of WAL that have sent all', async () => {
    const sql =
      "SELECT pid FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn = pg_current_wal_flush_lsn()";
    const rows = await query<{ pid: number }>(described, old.postgresPort, sql);
    return rows.length === 2 ? rows : null;
  });
  for (const { pid } of senders) process.kill(pid, 'SIGSTOP');
  const inserted = query(described, old.postgresPort, 'INSERT INTO kept VALUES (1)');
  if (isAcknowledged) await inserted;
  else {
    inserted.catch(() => undefined);
    await eventually('the commit to wait for a Replica', async () => {
      const sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
      return (await query(described, old.postgresPort, sql)).length === 1;
    });
  }
  await cluster.kill(old.name);
  await newMaster(cluster, old.name);
  await cluster.start(old.name);
  return old.name;
}

it('a Master that alone has a commit stays blocked and says which, until an administrator lets it go', () =>
  withCluster({ loadBalancers: 1 }, async (cluster) => {
    const old = cluster.node(await loseACommit(cluster));
    const blocked = await refusal(old);
    expect(blocked).toMatchObject({ role: 'DeadMaster', divergence: { commits: 1, keptAt: null } });
    const { fromLsn, toLsn, transactions } = blocked.divergence ?? {};
    expect(blocked.lastError).toContain(`it holds 1 commit between ${fromLsn} and ${toLsn}`);
    expect(blocked.lastError).toContain(`transaction ${transactions?.join()}`);

    await allowRejoin(cluster, old.name);
    await streamsAgain(old);
    await settled(cluster);
    const rows = await query(cluster.describe(), old.postgresPort, 'SELECT id FROM kept');
    expect(rows).toEqual([]);
    expect(keptWal(old)).toHaveLength(1);
    // The leave served once.
    const { consul } = cluster.describe();
    const response = await fetch(`${consul.http}/v1/kv/${consul.prefix}/${old.name}/rejoin`);
    expect(response.status).toBe(404);
  }));

it('with rejoin: always it gives the commit up by itself, and keeps its WAL', () =>
  withCluster({ loadBalancers: 1, settings: { rejoin: 'always' } }, async (cluster) => {
    const old = cluster.node(await loseACommit(cluster));
    await streamsAgain(old);
    await settled(cluster);
    expect(await query(cluster.describe(), old.postgresPort, 'SELECT id FROM kept')).toEqual([]);
    expect(keptWal(old)).toHaveLength(1);
  }));

it('with replication: quorum nobody was told of such a commit: it is given up without asking, and reported', () =>
  withCluster({ loadBalancers: 1, settings: { replication: 'quorum' } }, async (cluster) => {
    const old = cluster.node(await loseACommit(cluster, false));
    await streamsAgain(old);
    await settled(cluster);
    expect(await query(cluster.describe(), old.postgresPort, 'SELECT id FROM kept')).toEqual([]);
    expect(keptWal(old)).toHaveLength(1);
    const status = await readNodeStatus(old.roleServerUrl);
    expect(status?.divergence).toMatchObject({ commits: 1 });
  }));

it(`${FAILOVERS} failovers in a row: everybody streams again by itself, and nothing is left behind`, () =>
  withCluster({ loadBalancers: 1 }, async (cluster) => {
    const described = cluster.describe();
    const way = described.loadBalancers[0]?.masterPort ?? 0;
    await query(described, way, 'CREATE TABLE kept (id int PRIMARY KEY)');
    let old = '';
    for (let id = 1; id <= FAILOVERS; id += 1) {
      await query(described, way, `INSERT INTO kept VALUES (${id})`);
      old = cluster.master?.name ?? '';
      await cluster.kill(`${old}/postgres`);
      await newMaster(cluster, old);
      await settled(cluster);
    }
    const master = cluster.master;
    const others = described.nodes.filter(({ name }) => name !== master?.name);
    const slotsOf = async (port: number) =>
      (await query<{ slot_name: string }>(described, port, SLOTS)).map(({ slot_name }) => slot_name);
    // Each under the term of the present Master (a hold that is given up takes a term as well), and in use.
    const { term } = await masterKey(described);
    const wanted = others.map(({ name }) => `ha_${term}_${name}`).sort();
    await eventually('a slot for each Replica', async () => {
      const found = await slotsOf(master?.postgresPort ?? 0);
      return found.join() === wanted.join();
    });
    for (const { postgresPort } of others) expect(await slotsOf(postgresPort)).toEqual([]);
    for (const node of described.nodes) {
      const rows = await query(described, node.postgresPort, 'SELECT id FROM kept');
      expect([node.name, rows.length]).toEqual([node.name, FAILOVERS]);
      expect([node.name, segments(node).length < 20]).toEqual([node.name, true]);
      expect([node.name, beside(node.dataDir)]).toEqual([node.name, []]);
    }
  }));
