import { processesUnder } from '@ha-postgres/local-cluster';
import { query } from '../client';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';
import { masterOnOwnDisk } from './own-disk';
import { SmallDisk } from './small-disk';
import { joinsAgain } from './whole';

/** A Master that cannot write is started again this often at most, before another one takes over. */
const STARTS_MAX = 2;

const disks = faultCluster();

disks.row(18, { half: 'long', runs: 1, mayLoseUnsent: true }, async (fault) => {
  const { cluster, described, replica } = fault;
  const { name, postgresPort, dataDir } = replica;
  const disk = await masterOnOwnDisk(fault, (directory) => SmallDisk.under(directory));
  try {
    await fault.strike(async () => {
      disk.fill();
      await eventually(`${name}'s PostgreSQL to need more of its disk than there is`, async () => {
        await query(described, postgresPort, 'SELECT pg_switch_wal()').catch(() => undefined);
        return (await masterKey(described)).node !== name;
      });
    });
    await fault.anotherMaster(name);
    await fault.writesGoOn();
    const starts = fault.logOf(`${name}/postgres-runner`).filter(({ event }) => event === 'postgres.started');
    expect(starts.length).toBeLessThanOrEqual(STARTS_MAX);
    await eventually(`${name} to be at rest`, () => processesUnder(dataDir).length === 0);
    await fault.mend(() => {
      disk.makeSpace();
      disk.remove();
      return Promise.resolve();
    });
    await joinsAgain(cluster, name);
  } finally {
    disk.remove();
  }
});
