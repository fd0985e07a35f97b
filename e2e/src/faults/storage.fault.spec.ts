import { processesUnder } from '@ha-postgres/local-cluster';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';
import { FreezableDisk } from './freezable-disk';
import { masterOnOwnDisk } from './own-disk';
import { joinsAgain } from './whole';

const storage = faultCluster();

storage.row(20, { half: 'quick', runs: 1, mayLoseUnsent: true }, async (fault) => {
  const { cluster, described } = fault;
  const { name, dataDir } = fault.replica;
  const disk = await masterOnOwnDisk(fault, (directory) => FreezableDisk.under(directory));
  fault.afterwards(() => disk.thaw());
  await fault.strike(() => disk.freeze());
  await eventually('another Master', async () => {
    const { node, phase } = await masterKey(described);
    return node !== name && phase === 'running';
  });
  await fault.writesGoOn();
  // It answered all the time, and no signal ends what hangs in the kernel.
  expect(processesUnder(dataDir)).not.toEqual([]);
  const events = fault.logOf(`${name}/db-controller`).map(({ event }) => event);
  expect(events).toContain('fence.stuck');
  await fault.mend(() => disk.thaw());
  await joinsAgain(cluster, name);
});
