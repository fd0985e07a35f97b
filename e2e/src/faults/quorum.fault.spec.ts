import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readNodeStatus, type ClusterNode } from '@ha-postgres/local-cluster';
import { query } from '../client';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { joinsAgain } from './whole';

const FROZEN_MS = 60_000;
/** Longer than a write may take, so that whoever still gets an answer would show. */
const A_WHILE_MS = 3_000;
const WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'";

/** Nothing acknowledged may be lost in any row of this file. */
const quorum = faultCluster({ settings: { replication: 'quorum' } });

quorum.row(1, { half: 'quick', variant: 'postmaster killed, quorum mode' }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.kill(`${master.name}/postgres`));
  await fault.failsOver();
  expect(await joinsAgain(cluster, master.name)).toBe('by itself');
});

quorum.row(7, { half: 'long', variant: 'quorum mode' }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.kill(master.name));
  await fault.failsOver();
  await fault.mend(() => cluster.start(master.name));
  expect(await joinsAgain(cluster, master.name)).toBe('by itself');
});

quorum.row(8, { half: 'long', runs: 1, variant: 'quorum mode' }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.freeze(master.name));
  await fault.failsOver();
  await delay(FROZEN_MS);
  await fault.mend(() => cluster.thaw(master.name));
  expect(await joinsAgain(cluster, master.name)).toBe('by itself');
});

quorum.row(11, { half: 'quick', variant: 'quorum mode: writes wait' }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.cut(master.name, 'replicas'));
  await fault.isLogged(master.name, 'sync.writes-wait');
  await nobodyIsAcknowledged(fault);
  await fault.sameMaster();
  await fault.mend(() => cluster.heal());
  await fault.writesGoOn();
  await fault.sameMaster();
});

quorum.row(24, { half: 'quick', variant: 'its WAL is gone' }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.kill(master.name));
  await fault.failsOver();
  await fault.mend(() => {
    const wal = join(master.dataDir, 'pg_wal');
    for (const name of readdirSync(wal)) if (/^[0-9A-F]{24}$/.test(name)) rmSync(join(wal, name));
    return cluster.start(master.name);
  });
  expect(await joinsAgain(cluster, master.name)).toBe('by itself');
  const events = fault.logOf(`${master.name}/postgres-runner`).map(({ event }) => event);
  expect(events).toContain('clone.finished');
  expect(events).not.toContain('rejoin.rewound');
});

for (const { variant, half, die } of [
  {
    // Told as a story in synchronous.e2e.spec.ts.
    variant: 'the postmaster is killed',
    half: 'long',
    die: ({ cluster, master }) => cluster.kill(`${master.name}/postgres`),
  },
  {
    variant: 'a backend that waits is killed',
    half: 'quick',
    die: async ({ described, master }) => {
      const [waiting] = await query<{ pid: number }>(described, master.postgresPort, WAITING);
      process.kill(waiting?.pid ?? 0, 'SIGKILL');
    },
  },
] as { variant: string; half: 'quick' | 'long'; die: (fault: Fault) => Promise<void> }[]) {
  quorum.row(25, { half, variant }, async (fault) => {
    const { cluster, described, master, replicas } = fault;
    await fault.strike(() => Promise.all(replicas.map(({ name }) => cluster.kill(name))));
    await eventually(
      'a commit that waits for a Replica',
      async () => (await query(described, master.postgresPort, WAITING)).length > 0,
    );
    await die(fault);
    await eventually(`${master.name} to run again, barred`, () => isBarredAgain(fault, master));
    // What waited is on its disk, and nobody sees it.
    await expect(query(described, master.postgresPort, 'SELECT 1')).rejects.toThrow(/rejects connection/);
    await nobodyIsAcknowledged(fault);
    await fault.mend(() => Promise.all(replicas.map(({ name }) => cluster.start(name))));
    await fault.writesGoOn();
  });
}

// Told as a story in synchronous.e2e.spec.ts.
quorum.row(26, { half: 'long', runs: 1, variant: 'strict' }, async (fault) => {
  const { cluster, master, replicas } = fault;
  await fault.strike(() => Promise.all(replicas.map(({ name }) => cluster.kill(name))));
  await fault.isLogged(master.name, 'sync.writes-wait');
  await nobodyIsAcknowledged(fault);
  await fault.mend(() => Promise.all(replicas.map(({ name }) => cluster.start(name))));
  await fault.writesGoOn();
  await fault.sameMaster();
});

async function isBarredAgain({ term }: Fault, { roleServerUrl }: ClusterNode): Promise<boolean> {
  const status = await readNodeStatus(roleServerUrl);
  return status?.role === 'Master' && status.term > term && status.inRecovery === false && status.sync?.barred === true;
}

async function nobodyIsAcknowledged({ load }: Fault): Promise<void> {
  const before = load.history.acknowledged.length;
  await delay(A_WHILE_MS);
  expect(load.history.acknowledged.length).toBe(before);
}
