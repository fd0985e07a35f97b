import { processesUnder } from '@ha-postgres/local-cluster';
import { faultCluster } from './fault-cluster';

const processes = faultCluster();

processes.row(2, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.freeze(`${master.name}/postgres`));
  await fault.failsOver();
  // Nobody thaws them: what is stopped cannot be asked to end.
  expect(processesUnder(master.dataDir)).toEqual([]);
});
