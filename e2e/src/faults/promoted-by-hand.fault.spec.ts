import { readNodeStatus, type ClusterNode } from '@ha-postgres/local-cluster';
import { query } from '../client';
import { refusal, streamsAgain } from '../rejoining';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { joinsAgain } from './whole';

/** What the prober of every node would get acknowledged there is not what is asked: clients come through load balancers. */
const CLIENTS_ONLY = { probeEveryMs: null };
const PROMOTED_MS = 10_000;

const byHand = faultCluster();

byHand.row(43, { half: 'quick', variant: 'and is stopped', load: CLIENTS_ONLY }, async (fault) => {
  const { described, replica } = fault;
  await fault.strike(async () => {
    // The connection ends with PostgreSQL.
    await query(described, replica.postgresPort, 'SELECT pg_promote(false)').catch(() => undefined);
    // Its runner finds it out of recovery, or its controller sees by its timeline that it cannot follow as it is.
    await eventually(`PostgreSQL of ${replica.name} to be ended`, () =>
      fault.logOf(`${replica.name}/postgres-runner`).some(({ event }) => event === 'postgres.exited'),
    );
  });
  await isReplicaByItself(fault, replica);
});

for (const { variant, half, hasCommit } of [
  { variant: 'nobody can stop it, and then its node is lost', half: 'quick', hasCommit: false },
  { variant: 'nobody can stop it, it commits, and then its node is lost', half: 'long', hasCommit: true },
] as const) {
  byHand.row(43, { half, variant, load: CLIENTS_ONLY }, async (fault) => {
    const { cluster, described, master, replica } = fault;
    await query(described, master.postgresPort, 'CREATE TABLE IF NOT EXISTS by_hand (id int)');
    await eventually(`the table on ${replica.name}`, async () => {
      const sql = "SELECT 1 FROM pg_class WHERE relname = 'by_hand'";
      return (await query(described, replica.postgresPort, sql)).length > 0;
    });
    await fault.strike(async () => {
      for (const service of ['postgres-runner', 'db-controller']) await cluster.freeze(`${replica.name}/${service}`);
      await query(described, replica.postgresPort, 'SELECT pg_promote()', PROMOTED_MS);
      if (hasCommit) await query(described, replica.postgresPort, 'INSERT INTO by_hand VALUES (1)');
      await cluster.kill(replica.name);
    });
    await fault.nothingHappens();
    await fault.mend(() => cluster.start(replica.name));
    if (hasCommit) {
      const { divergence, role } = await refusal(replica);
      expect(role).toBe('Replica');
      expect(divergence?.commits).toBe(1);
      expect(await joinsAgain(cluster, replica.name)).toBe('by hand');
    }
    await isReplicaByItself(fault, replica);
  });
}

/** It streams again, on the Master's timeline, who is the same as before. (A copy of its data may have held up a client.) */
async function isReplicaByItself(fault: Fault, replica: ClusterNode): Promise<void> {
  await streamsAgain(replica);
  expect((await readNodeStatus(replica.roleServerUrl))?.inRecovery).toBe(true);
  expect(await timelineOf(fault, replica)).toBe(await timelineOf(fault, fault.master));
  await fault.writesGoOn();
  await fault.sameMaster();
}

/** The number of the timeline that a node's PostgreSQL writes, or receives. */
async function timelineOf({ described }: Fault, { postgresPort }: ClusterNode): Promise<number> {
  const sql = `SELECT CASE WHEN pg_is_in_recovery() THEN (SELECT received_tli FROM pg_stat_wal_receiver)
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline`;
  const { timeline } = await eventually('a timeline', async () => {
    const [row] = await query<{ timeline: number | null }>(described, postgresPort, sql);
    return row?.timeline == null ? null : { timeline: row.timeline };
  });
  return timeline;
}
