import type { ClusterNode } from '@ha-postgres/local-cluster';
import { Failpoint, type FailpointName } from '../failpoint';
import { masterKey } from '../master-key';
import { outcomeOf, requestSwitchover } from '../switchover-request';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { becomesWhole } from './whole';

/** What a fenced Master had not sent may be left on it: that nothing acknowledged is lost is judged by what is stored. */
const switchovers = faultCluster({ settings: { failpoints: 'true', rejoin: 'always' } });

/** New clients all the time: held, they wait for longer than a write usually may take. */
const NEWCOMERS = { clients: [{ everyMs: 10, isFresh: true }], timeoutMs: 10_000 };

switchovers.row(28, { half: 'quick', load: NEWCOMERS }, async (fault) => {
  const { cluster, described, master } = fault;
  let from = master.name;
  for (const to of [...fault.replicas.map(({ name }) => name), master.name]) {
    await becomesWhole(cluster);
    await fault.strike(() => switchOver(fault, from, to));
    await fault.writesGoOn();
    from = to;
  }
  expect(fault.failures).toEqual([]);
  expect((await masterKey(described)).node).toBe(master.name);
});

// Told as stories in switchover-killed.e2e.spec.ts.
for (const [place, whose] of [
  ['switchover-accepted', 'from'],
  ['switchover-draining', 'from'],
  ['switchover-stopped', 'from'],
  ['switchover-released', 'from'],
  ['before-promote', 'to'],
  ['before-running', 'to'],
] as [FailpointName, 'from' | 'to'][]) {
  const variant = `at ${place} of the ${whose === 'from' ? 'old Master' : 'successor'}`;
  // A successor that has promoted and told nobody takes writes past the load balancers, which no Replica gets.
  const mayLoseUnsent = place === 'before-running';
  switchovers.row(29, { half: 'long', runs: 1, variant, mayLoseUnsent }, async (fault) => {
    const { cluster, described, master, replica } = fault;
    const trap = new Failpoint(cluster, whose === 'from' ? master.name : replica.name, place);
    fault.afterwards(() => trap.remove());
    trap.set('kill');
    await fault.strike(async () => {
      const id = await requestSwitchover(described, master.name, replica.name);
      await eventually(`the controller of ${trap.node} to die there`, () => trap.isReached());
      const { refused } = await outcomeOf(cluster, id);
      expect(refused).toBeNull();
    });
    await fault.writesGoOn();
  });
}

describe('a new Master that dies', () => {
  // Told with what PostgreSQL makes of the timelines in schedules.e2e.spec.ts.
  switchovers.row(30, { half: 'quick', variant: 'while promoting', mayLoseUnsent: true }, async (fault) => {
    const { cluster, master, replicas } = fault;
    const traps = replicas.map(({ name }) => new Failpoint(cluster, name, 'before-running'));
    fault.afterwards(() => traps.forEach((trap) => trap.remove()));
    for (const trap of traps) trap.set('wait');
    await fault.strike(() => cluster.kill(master.name));
    const { node: second } = await eventually('a Replica that has promoted', () =>
      traps.find((trap) => trap.isReached()),
    );
    await cluster.kill(second);
    for (const trap of traps) trap.remove();
    await fault.anotherMaster(master.name, second);
    await fault.writesGoOn();
    await fault.mend(() => Promise.all([master.name, second].map((name) => cluster.start(name))));
  });

  const variant = 'right after its first writes, and the next never heard of it';
  switchovers.row(30, { half: 'long', runs: 1, variant, mayLoseUnsent: true }, async (fault) => {
    const { cluster, master, replicas } = fault;
    const [second, third] = replicas as [ClusterNode, ClusterNode];
    await fault.strike(async () => {
      await cluster.cut(third.name, 'all');
      await cluster.kill(master.name);
    });
    expect((await fault.failsOver()).name).toBe(second.name);
    await cluster.kill(second.name);
    await cluster.heal();
    expect((await fault.anotherMaster(master.name, second.name)).name).toBe(third.name);
    await fault.writesGoOn();
    await fault.mend(() => Promise.all([master, second].map(({ name }) => cluster.start(name))));
  });
});

/** Asked again where the Master does not know yet that its successor is able. */
async function switchOver({ cluster, described }: Fault, from: string, to: string): Promise<void> {
  await eventually(`a switchover to ${to}`, async () => {
    const { promotion } = await outcomeOf(cluster, await requestSwitchover(described, from, to));
    return promotion?.node === to;
  });
}
