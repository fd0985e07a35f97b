import { setTimeout as delay } from 'node:timers/promises';
import { processesUnder } from '@ha-postgres/local-cluster';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';

/** Longer than a member may be silent before it is taken off the list (30 s). */
const OUTLASTS_MEMBERSHIP_MS = 40_000;
const A_WHILE_MS = 10_000;

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

for (const { variant, half, ms } of [
  { variant: 'for 10 s', half: 'quick', ms: A_WHILE_MS },
  { variant: 'for so long that they go off the list of members', half: 'long', ms: OUTLASTS_MEMBERSHIP_MS },
] as const) {
  network.row(11, { half, variant, runs: 1 }, async (fault) => {
    const { cluster, master } = fault;
    await fault.strike(() => cluster.cut(master.name, 'replicas'));
    await delay(ms);
    await fault.nothingHappens();
    await fault.mend(() => cluster.heal());
  });
}

for (const { others, from, to } of [
  { others: 'all', from: 'the Master', to: 'everyone' },
  { others: 'all', from: 'everyone', to: 'the Master' },
  { others: 'consul', from: 'the Master', to: 'Consul' },
  { others: 'consul', from: 'Consul', to: 'the Master' },
] as const) {
  const variant = `from ${from} to ${to}`;
  const half = from === 'Consul' ? 'quick' : 'long';
  network.row(12, { half, variant, mayLoseUnsent: true }, async (fault) => {
    const { cluster, master } = fault;
    await fault.strike(() =>
      from === 'the Master' ? cluster.cut(master.name, others, true) : cluster.cut(others, master.name, true),
    );
    await fault.failsOver();
    expect(processesUnder(master.dataDir)).toEqual([]);
    await fault.mend(() => cluster.heal());
  });
}

for (const direction of ['from the Master to the Replicas', 'from the Replicas to the Master'] as const) {
  network.row(12, { half: 'long', variant: direction }, async (fault) => {
    const { cluster, master } = fault;
    await fault.strike(() =>
      direction === 'from the Master to the Replicas'
        ? cluster.cut(master.name, 'replicas', true)
        : cluster.cut('replicas', master.name, true),
    );
    await delay(A_WHILE_MS);
    await fault.nothingHappens();
    await fault.mend(() => cluster.heal());
  });
}
