import { setTimeout as delay } from 'node:timers/promises';
import { processesUnder, type ClusterLoadBalancer } from '@ha-postgres/local-cluster';
import { stillOpen } from '../held-connections';
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
const BLIND_MS = 5 * 60_000;

const loadBalancers = faultCluster();

for (const { variant, again } of [
  { variant: 'killed', again: (fault, { name }) => fault.isReplaced(`${name}/haproxy`) },
  { variant: 'reloaded', again: reloads },
] as { variant: string; again: (fault: Fault, lb: ClusterLoadBalancer) => Promise<void> }[]) {
  loadBalancers.row(34, { half: 'quick', variant }, async (fault) => {
    const [lb, other] = bothOf(fault);
    const held = await holdThroughAll(fault.described, HELD);
    const openAt = ({ name }: ClusterLoadBalancer) =>
      stillOpen(
        held.filter((through) => through.lb.name === name).flatMap(({ master, standby }) => [...master, ...standby]),
      );
    const toMaster = Visitor.start(fault.described, lb.masterPort);
    const toStandby = Visitor.start(fault.described, lb.standbyPort);
    try {
      await fault.strike(() => again(fault, lb));
      await moreArrivals(toMaster);
      await moreArrivals(toStandby);
    } finally {
      await toMaster.stop();
      await toStandby.stop();
    }
    expect(toMaster.arrivals.filter(({ node }) => node !== fault.master.name)).toEqual([]);
    expect(toStandby.arrivals.filter(({ isInRecovery }) => !isInRecovery)).toEqual([]);
    // An old process, too, ends in the end: its sessions are out of lb-syncer's reach.
    await eventually(`the sessions of ${lb.name} to be closed`, () => openAt(lb).length === 0);
    expect(openAt(other)).toHaveLength(2 * HELD);
    dropAllThrough(held);
    await fault.writesGoOn();
    await fault.sameMaster();
  });
}

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

loadBalancers.row(
  35,
  { half: 'long', runs: 1, variant: 'all of them, for 5 min', mayLoseUnsent: true, timeoutMs: 10 * 60_000 },
  async (fault) => {
    const { cluster, described, master } = fault;
    const syncers = described.loadBalancers.map(({ name }) => `${name}/lb-syncer`);
    const visitors = described.loadBalancers.map(({ masterPort }) => Visitor.start(described, masterPort));
    try {
      await fault.strike(async () => {
        for (const syncer of syncers) await cluster.kill(syncer, true);
        await cluster.cut(master.name, 'consul');
      });
      await eventually(`${master.name} to fence itself`, () => processesUnder(master.dataDir).length === 0);
      const before = visitors.map(({ visits }) => visits.length);
      await fault.anotherMaster(master.name);
      await cluster.heal(master.name, 'consul');
      await joinsAgain(cluster, master.name);
      await delay(BLIND_MS);
      // Who is Master now nobody has told them; that the old one is none they see themselves.
      const since = visitors.flatMap(({ visits }, at) => visits.slice(before[at]));
      expect(since.length).toBeGreaterThan(SOME_VISITS);
      expect(since.filter(({ node }) => node !== null)).toEqual([]);
    } finally {
      for (const visitor of visitors) await visitor.stop();
    }
    await fault.mend(() => Promise.all(syncers.map((syncer) => cluster.start(syncer))));
    await fault.failsOver();
  },
);

function bothOf({ described }: Fault): [ClusterLoadBalancer, ClusterLoadBalancer] {
  const [first, second] = described.loadBalancers;
  if (first === undefined || second === undefined) throw new Error('these rows need two load balancers');
  return [first, second];
}

async function moreVisits(visitor: Visitor): Promise<void> {
  const aim = visitor.visits.length + SOME_VISITS;
  await eventually('more visits', () => visitor.visits.length >= aim);
}

/** As an administrator does it. Process and address stay: only what another process was told is gone. */
async function reloads({ cluster }: Fault, { name }: ClusterLoadBalancer): Promise<void> {
  const { processes } = cluster.describe().loadBalancers.find((lb) => lb.name === name) ?? {};
  const pid = await eventually(`the process of ${name}'s HAProxy`, () => processes?.haproxy);
  process.kill(pid, 'SIGUSR2');
}

/** At least one visit has failed before them: it has come by while the load balancer was gone. */
async function moreArrivals(visitor: Visitor): Promise<void> {
  await eventually('a refused visit', () => visitor.refusals > 0);
  const aim = visitor.arrivals.length + SOME_VISITS;
  await eventually('more visits that arrive', () => visitor.arrivals.length >= aim);
}
