import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';

const FROZEN_MS = 60_000;
/** What a thawed Master may acknowledge before its runner has looked at the clock: a moment's writes of the prober. */
const THAWED_WRITES_MAX = 3;

const nodes = faultCluster();

nodes.row(7, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  await fault.strike(() => fault.cluster.kill(fault.master.name));
  await fault.failsOver();
  await fault.mend(() => fault.cluster.start(fault.master.name));
});

nodes.row(8, { half: 'long', runs: 1, mayLoseUnsent: true, mayBeLate: THAWED_WRITES_MAX }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.freeze(master.name));
  await fault.failsOver();
  await delay(FROZEN_MS);
  await fault.mend(() => cluster.thaw(master.name));
  await eventually(`${master.name} to know that it is not Master`, () => cluster.node(master.name).role !== 'Master');
});
