import { processesUnder } from '@ha-postgres/local-cluster';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';

const network = faultCluster();

network.row(9, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.cut(master.name, 'all'));
  await eventually(`${master.name} to fence itself, told by nobody`, () => processesUnder(master.dataDir).length === 0);
  await fault.failsOver();
  await fault.mend(() => cluster.heal());
});

network.row(10, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.cut(master.name, 'consul'));
  await fault.failsOver();
  expect(processesUnder(master.dataDir)).toEqual([]);
  await fault.mend(() => cluster.heal());
});
