import { processesUnder } from '@ha-postgres/local-cluster';
import { faultCluster } from './fault-cluster';
import { FreezableDisk } from './freezable-disk';
import { masterOnOwnDisk } from './own-disk';
import { joinsAgain } from './whole';

const storage = faultCluster();

storage.row(20, { half: 'quick', runs: 1, mayLoseUnsent: true }, async (fault) => {
  const { cluster } = fault;
  const { name, dataDir } = fault.replica;
  const disk = await masterOnOwnDisk(fault, (directory) => FreezableDisk.under(directory));
  fault.afterwards(() => disk.thaw());
  await fault.strike(() => disk.freeze());
  await fault.anotherMaster(name);
  await fault.writesGoOn();
  // It answered all the time, and no signal ends what hangs in the kernel.
  expect(processesUnder(dataDir)).not.toEqual([]);
  const events = fault.logOf(`${name}/db-controller`).map(({ event }) => event);
  expect(events).toContain('fence.stuck');
  await fault.mend(() => disk.thaw());
  await joinsAgain(cluster, name);
});
