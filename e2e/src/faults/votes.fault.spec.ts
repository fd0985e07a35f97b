import { openConnection } from '@ha-postgres/checker';
import { query } from '../client';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { newGuest } from './guest';

const CONNECT_MS = 5_000;

const votes = faultCluster();

votes.row(42, { half: 'quick', variant: 'paused', mayLoseUnsent: true }, async (fault) => {
  const { cluster, described, master, replicas } = fault;
  await fault.strike(async () => {
    for (const { postgresPort } of replicas) await query(described, postgresPort, 'SELECT pg_wal_replay_pause()');
    await fault.writesGoOn();
    await cluster.kill(`${master.name}/postgres`);
  });
  await fault.failsOver();
});

votes.row(42, { half: 'quick', variant: 'held by a query', mayLoseUnsent: true }, async (fault) => {
  const { cluster, described, master } = fault;
  const readers = await readersInTheWay(fault);
  try {
    await fault.strike(async () => {
      await query(described, master.postgresPort, 'ALTER TABLE in_the_way ADD COLUMN more int');
      await replayIsHeld(fault);
      await fault.writesGoOn();
      await cluster.kill(`${master.name}/postgres`);
    });
    const { name } = await fault.failsOver();
    const events = fault.logOf(`${name}/db-controller`).map(({ event }) => event);
    expect(events).toContain('promote.readers-ended');
  } finally {
    for (const reader of readers) reader.drop();
  }
});

/** On each Replica a transaction that has read a table, which replay waits for when the table is changed. */
async function readersInTheWay(fault: Fault) {
  const { described, master, replicas } = fault;
  const guest = await newGuest(fault);
  await query(described, master.postgresPort, 'DROP TABLE IF EXISTS in_the_way');
  // In one transaction: whoever sees the table may read it.
  await query(described, master.postgresPort, 'CREATE TABLE in_the_way (); GRANT SELECT ON in_the_way TO PUBLIC');
  return Promise.all(
    replicas.map(async ({ name, address: host, postgresPort }) => {
      await eventually(`the table on ${name}`, async () => {
        const [row] = await query<{ there: boolean }>(
          described,
          postgresPort,
          "SELECT to_regclass('in_the_way') IS NOT NULL AS there",
        );
        return row?.there;
      });
      const reader = await openConnection({ host, port: postgresPort, database: 'postgres', ...guest }, CONNECT_MS);
      await reader.client.query('BEGIN');
      await reader.client.query('SELECT FROM in_the_way');
      return reader;
    }),
  );
}

async function replayIsHeld({ described, replicas }: Fault): Promise<void> {
  const sql = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'in_the_way'::regclass";
  for (const { name, postgresPort } of replicas)
    await eventually(`replay to wait on ${name}`, async () => (await query(described, postgresPort, sql)).length > 0);
}
