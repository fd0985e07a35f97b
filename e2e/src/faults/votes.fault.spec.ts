import { openConnection } from '@ha-postgres/checker';
import { readNodeStatus, type ClusterNode } from '@ha-postgres/local-cluster';
import { query } from '../client';
import { hapg } from '../hapg';
import { ReceiverKiller } from '../receiver-killer';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { newGuest } from './guest';

const CONNECT_MS = 5_000;
/** `maximumLagOnFailover` */
const MAXIMUM_LAG_BYTES = 1024 * 1024;

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

/** Nobody takes over: nothing that was acknowledged is lost. */
votes.row(21, { half: 'quick' }, async (fault) => {
  const { cluster, described, master, replicas } = fault;
  const [candidate, other] = replicas as [ClusterNode, ClusterNode];
  await cluster.kill(other.name);
  const killer = new ReceiverKiller([candidate.dataDir]);
  try {
    await query(described, master.postgresPort, bulk(2 * MAXIMUM_LAG_BYTES), CONNECT_MS);
    await fault.masterBeats();
    await fault.strike(() => cluster.kill(master.name));
  } finally {
    killer.stop();
  }
  await eventually(
    `${candidate.name} and hapg to say why not, what would be lost, and how to take it all the same`,
    async () => {
      const { takeover } = (await readNodeStatus(candidate.roleServerUrl)) ?? {};
      const bytes = takeover?.bytesBehind ?? 0;
      if (takeover?.able !== false || bytes < MAXIMUM_LAG_BYTES || !takeover.why.includes(String(bytes))) return false;
      const { output } = await hapg(described, 'status', '--json');
      const isSaid = output.includes(takeover.why) && output.includes(`hapg failover --to ${candidate.name}`);
      if (!isSaid) throw new Error(`${takeover.why}; hapg says: ${output}`);
      return true;
    },
  );
  expect(fault.logOf(`${candidate.name}/db-controller`).map(({ event }) => event)).not.toContain('postgres.promote');
  await fault.mend(() => Promise.all([master, other].map(({ name }) => cluster.start(name))));
  await fault.writesGoOn();
});

for (const { variant, lateMs, to } of [
  { variant: '', lateMs: 50, to: 'consul' },
  // To connect, to ask and to answer takes 320 ms: longer than a vote is waited for at first, and nearly all of the time at last.
  { variant: 'and its vote comes late', lateMs: 80, to: 'all' },
] as const) {
  votes.row(22, { half: 'quick', variant, mayLoseUnsent: true }, async (fault) => {
    const { cluster, master, replicas } = fault;
    const [ahead, behind] = replicas as [ClusterNode, ClusterNode];
    const killer = new ReceiverKiller([behind.dataDir]);
    try {
      await fault.writesGoOn();
      await cluster.slow(ahead.name, { delayMs: lateMs }, to);
      await fault.masterBeats();
      await fault.strike(() => cluster.kill(master.name));
    } finally {
      killer.stop();
    }
    expect((await fault.failsOver()).name).toBe(ahead.name);
    // The other one had been quicker.
    expect(fault.logOf(`${behind.name}/db-controller`).map(({ event }) => event)).toContain('lease.acquired');
    await fault.mend(async () => {
      await cluster.heal();
      await cluster.start(master.name);
    });
  });
}

function bulk(bytes: number): string {
  const line = 1_000;
  return `CREATE TABLE IF NOT EXISTS bulk (line text); INSERT INTO bulk SELECT repeat('x', ${line}) FROM generate_series(1, ${bytes / line})`;
}

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
