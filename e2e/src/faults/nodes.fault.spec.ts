import { faultCluster } from './fault-cluster';

const FROZEN_MS = 60_000;

const nodes = faultCluster();

nodes.row(7, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  await fault.strike(() => fault.cluster.kill(fault.master.name));
  await fault.failsOver();
  await fault.mend(() => fault.cluster.start(fault.master.name));
});
