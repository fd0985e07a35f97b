import { processesUnder, type ClusterLoadBalancer } from '@ha-postgres/local-cluster';
import { dropAllThrough, holdThroughAll } from '../load-balancers';
import { masterKey } from '../master-key';
import { Visitor } from '../visitor';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { joinsAgain } from './whole';

const HELD = 5;
/** Connections that a load balancer has refused or led somewhere: enough to have met every moment of a change. */
const SOME_VISITS = 50;

const loadBalancers = faultCluster();

loadBalancers.row(34, { half: 'quick', variant: 'killed' }, async (fault) => {
  const [lb, other] = bothOf(fault);
  const held = await holdThroughAll(fault.described, HELD);
  const toMaster = Visitor.start(fault.described, lb.masterPort);
  const toStandby = Visitor.start(fault.described, lb.standbyPort);
  try {
    await fault.strike(() => fault.isReplaced(`${lb.name}/haproxy`));
    await moreArrivals(toMaster);
    await moreArrivals(toStandby);
  } finally {
    await toMaster.stop();
    await toStandby.stop();
  }
  expect(toMaster.arrivals.filter(({ node }) => node !== fault.master.name)).toEqual([]);
  expect(toStandby.arrivals.filter(({ isInRecovery }) => !isInRecovery)).toEqual([]);
  const untouched = held.filter((through) => through.lb.name === other.name);
  expect(
    untouched.flatMap(({ master, standby }) => [...master, ...standby]).some((one) => one.connection.isBroken()),
  ).toBe(false);
  dropAllThrough(held);
  await fault.writesGoOn();
  await fault.sameMaster();
});

for (const { row, variant, blind, mend } of [
  {
    row: 35,
    variant: 'one of two, during a failover and the way back of the old Master',
    blind: ({ cluster }, name) => cluster.kill(`${name}/lb-syncer`, true),
    mend: ({ cluster }, name) => cluster.start(`${name}/lb-syncer`),
  },
  {
    row: 36,
    variant: '',
    blind: ({ cluster }, name) => cluster.cut(name, 'consul'),
    mend: ({ cluster }, name) => cluster.heal(name, 'consul'),
  },
] as {
  row: number;
  variant: string;
  blind: (fault: Fault, name: string) => Promise<void>;
  mend: (fault: Fault, name: string) => Promise<void>;
}[]) {
  loadBalancers.row(row, { half: 'quick', variant, mayLoseUnsent: true }, async (fault) => {
    const { cluster, master } = fault;
    const [lb] = bothOf(fault);
    const visitor = Visitor.start(fault.described, lb.masterPort);
    try {
      await fault.strike(async () => {
        await blind(fault, lb.name);
        await cluster.cut(master.name, 'consul');
      });
      await eventually(`${master.name} to fence itself`, () => processesUnder(master.dataDir).length === 0);
      const before = visitor.visits.length;
      await eventually('another Master', async () => {
        const { node, phase } = await masterKey(fault.described);
        return node !== master.name && phase === 'running';
      });
      await moreVisits(visitor);
      await cluster.heal(master.name, 'consul');
      await joinsAgain(cluster, master.name);
      await moreVisits(visitor);
      expect(visitor.visits.slice(before).filter(({ node }) => node === master.name)).toEqual([]);
      expect(visitor.arrivals.filter(({ isInRecovery }) => isInRecovery)).toEqual([]);
    } finally {
      await visitor.stop();
    }
    await fault.mend(() => mend(fault, lb.name));
    await fault.failsOver();
  });
}

function bothOf({ described }: Fault): [ClusterLoadBalancer, ClusterLoadBalancer] {
  const [first, second] = described.loadBalancers;
  if (first === undefined || second === undefined) throw new Error('these rows need two load balancers');
  return [first, second];
}

async function moreVisits(visitor: Visitor): Promise<void> {
  const aim = visitor.visits.length + SOME_VISITS;
  await eventually('more visits', () => visitor.visits.length >= aim);
}

/** At least one visit has failed before them: it has come by while the load balancer was gone. */
async function moreArrivals(visitor: Visitor): Promise<void> {
  await eventually('a refused visit', () => visitor.refusals > 0);
  const aim = visitor.arrivals.length + SOME_VISITS;
  await eventually('more visits that arrive', () => visitor.arrivals.length >= aim);
}
