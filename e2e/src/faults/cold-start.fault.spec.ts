import { setTimeout as delay } from 'node:timers/promises';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';

/** Within `coldStartWait`, and long enough for Replicas to come up and, were they not to wait, to take over. */
const MASTER_COMES_LATER_MS = 15_000;

const coldStart = faultCluster();

for (const [variant, half, restart] of [
  [
    'the last Master comes back last',
    'quick',
    async ({ cluster, described, replicas, master }) => {
      for (const { name } of described.consul.servers) await cluster.start(name);
      for (const { name } of replicas) await cluster.start(name);
      await delay(MASTER_COMES_LATER_MS);
      await cluster.start(master.name);
    },
  ],
  [
    'the last Master comes back first, Consul last',
    'long',
    async ({ cluster, described, replicas, master }) => {
      await cluster.start(master.name);
      for (const { name } of replicas) await cluster.start(name);
      await delay(MASTER_COMES_LATER_MS);
      for (const { name } of described.consul.servers) await cluster.start(name);
    },
  ],
  [
    'everything comes back at once',
    'long',
    async ({ cluster, described }) => {
      const members = [...described.consul.servers, ...described.nodes];
      await Promise.all(members.map(({ name }) => cluster.start(name)));
    },
  ],
] as [string, 'quick' | 'long', (fault: Fault) => Promise<void>][]) {
  // Everything that was acknowledged lies on the last Master's disk: it is Master again, and nothing may be missing.
  coldStart.row(40, { half, variant }, async (fault) => {
    await fault.strike(() => everythingDies(fault));
    await fault.mend(() => restart(fault));
    await runsAgain(fault, (node) => node === fault.master.name);
  });
}

coldStart.row(
  40,
  { half: 'long', variant: 'the last Master does not come back', mayLoseUnsent: true },
  async (fault) => {
    const { cluster, described, replicas, master } = fault;
    await fault.strike(() => everythingDies(fault));
    for (const { name } of described.consul.servers) await cluster.start(name);
    for (const { name } of replicas) await cluster.start(name);
    await runsAgain(fault, (node) => node !== master.name);
    await fault.mend(() => cluster.start(master.name));
  },
);

async function everythingDies({ cluster, described }: Fault): Promise<void> {
  const members = [...described.nodes, ...described.consul.servers];
  await Promise.all(members.map(({ name }) => cluster.kill(name)));
}

/** A Master runs in a later term, and it is who it should be from the first. */
async function runsAgain(fault: Fault, isRight: (node: string) => boolean): Promise<void> {
  const { node } = await eventually('a Master of a later term', async () => {
    const value = await masterKey(fault.described);
    return value.phase === 'running' && value.term > fault.term ? value : null;
  });
  expect({ node, isRight: isRight(node) }).toEqual({ node, isRight: true });
  await fault.writesGoOn();
}
