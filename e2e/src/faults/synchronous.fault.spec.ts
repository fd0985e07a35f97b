import { readNodeStatus } from '@ha-postgres/local-cluster';
import { typed } from '../hapg';
import { historyKey, syncKey } from '../keys';
import { logOf } from '../log-of';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';

const WHY = 'both disks are lost';

// Both are told as stories in synchronous.e2e.spec.ts.

describe('quorum mode, available', () => {
  const available = faultCluster({ settings: { replication: 'quorum', dataDurability: 'available' } });

  available.row(26, { half: 'long', runs: 1, variant: 'available' }, async (fault) => {
    const { cluster, described, master, replicas } = fault;
    await fault.strike(() => Promise.all(replicas.map(({ name }) => cluster.kill(name))));
    await fault.isLogged(master.name, 'sync.nobody-confirms');
    await fault.writesGoOn();
    expect(await syncKey(described)).toMatchObject({ k: 0, names: [] });
    await fault.mend(() => Promise.all(replicas.map(({ name }) => cluster.start(name))));
    await eventually('Replicas to confirm again', async () => (await syncKey(described)).names.length === 2);
    await fault.sameMaster();
  });
});

describe('sync mode', () => {
  const sync = faultCluster({ settings: { replication: 'sync' } });

  sync.row(27, { half: 'long', runs: 1, mayLoseUnsent: true }, async (fault) => {
    const { cluster, described, master, replicas } = fault;
    const [synchronous = ''] = await eventually('one synchronous Replica', async () => {
      const { names, previous } = await syncKey(described);
      return previous === null && names.length === 1 ? names : null;
    });
    const left = replicas.find(({ name }) => name !== synchronous) ?? fault.replica;
    const lines = () => logOf(cluster, `${left.name}/db-controller`);
    const before = lines().length;
    await fault.strike(() => Promise.all([master.name, synchronous].map((name) => cluster.kill(name))));
    const since = () => lines().slice(before);
    await eventually(
      `${left.name} to give up twice`,
      () => since().filter(({ rule }) => rule === 'holderGivesUpWithoutEnoughVotes').length >= 2,
    );
    expect(since().map(({ event }) => event)).not.toContain('postgres.promote');
    expect((await readNodeStatus(left.roleServerUrl))?.inRecovery).toBe(true);

    await typed(described, 'failover', '--to', left.name, '--accept-data-loss', '--why', WHY, '--yes');
    const { promotions } = await historyKey(described);
    expect(promotions.findLast(({ node }) => node === left.name)?.why).toContain(WHY);
    // It has nobody yet to confirm its commits.
    await fault.mend(() => Promise.all([master.name, synchronous].map((name) => cluster.start(name))));
    await fault.writesGoOn();
  });
});
