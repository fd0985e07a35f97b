import { query } from '../client';
import { keptWal, refusal } from '../rejoining';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { joinsAgain } from './whole';

// Told as stories in rejoin.e2e.spec.ts.

describe('rejoin: safe', () => {
  const safe = faultCluster();

  safe.row(23, { half: 'long', runs: 1, variant: 'safe', mayLoseUnsent: true }, async (fault) => {
    const { cluster, master } = fault;
    await masterIsLostWithCommits(fault);
    await fault.mend(() => cluster.start(master.name));
    const { divergence, lastError } = await refusal(cluster.node(master.name));
    expect(divergence?.commits).toBeGreaterThan(0);
    expect(lastError).toContain(`between ${divergence?.fromLsn} and ${divergence?.toLsn}`);
    expect(await joinsAgain(cluster, master.name)).toBe('by hand');
  });
});

describe('rejoin: always', () => {
  const always = faultCluster({ settings: { rejoin: 'always' } });

  always.row(23, { half: 'long', runs: 1, variant: 'always', mayLoseUnsent: true }, async (fault) => {
    const { cluster, master } = fault;
    const keptBefore = keptWal(master);
    await masterIsLostWithCommits(fault);
    await fault.mend(() => cluster.start(master.name));
    expect(await joinsAgain(cluster, master.name)).toBe('by itself');
    expect(keptWal(master).filter((name) => !keptBefore.includes(name))).toHaveLength(1);
  });
});

/** The Master sends nothing more, acknowledges writes, and is lost with its node. */
async function masterIsLostWithCommits(fault: Fault): Promise<void> {
  const { cluster, described, master, replicas } = fault;
  const senders = await eventually('a sender of WAL for each Replica', async () => {
    const sql = "SELECT pid FROM pg_stat_replication WHERE state = 'streaming'";
    const rows = await query<{ pid: number }>(described, master.postgresPort, sql);
    return rows.length === replicas.length ? rows : null;
  });
  await fault.strike(async () => {
    for (const { pid } of senders) process.kill(pid, 'SIGSTOP');
    await fault.writesGoOn();
    await cluster.kill(master.name);
  });
  await fault.failsOver();
}
