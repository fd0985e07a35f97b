import type { NodeStatus } from '@ha-postgres/cluster-state';
import { processesUnder, readNodeStatus, type ClusterNode, type RemoteCluster } from '@ha-postgres/local-cluster';
import { query } from './client';
import { deadMastersJoinAgain } from './emptied-data';
import { Failpoint } from './failpoint';
import { othersThan } from './load-balancers';
import { sharedCluster } from './shared-cluster';
import { makeSlowTables, slowFunction, slowFunctionsRunning } from './slow-functions';
import { newestTimeline } from './timelines';
import { eventually } from './wait-for';
import { idsBehind, makeWritesTable, Writer, type Write } from './writer';

const BACKENDS = 8;
const SOME_WRITES = 20;

/** The schedules that broke an earlier form of the protocol. Those of the lock alone are tests of consul-election. */
const shared = sharedCluster({ settings: { failpoints: 'true' } });

shared.story(
  'backends that outlive their killed postmaster acknowledge nothing after the new Master’s first write',
  async (cluster) => {
    const described = cluster.describe();
    const old = masterOf(cluster);
    await makeWritesTable(described, old.postgresPort);
    await makeSlowTables(described, old.postgresPort);
    const endings = Array.from({ length: BACKENDS }, (_, id) => slowFunction(described, old.postgresPort, id));
    const running = () => slowFunctionsRunning(described, old.postgresPort);
    await eventually('all functions to run', async () => (await running()) === BACKENDS);

    await cluster.kill(`${old.name}/postgres`);
    const { node, acknowledgedAt } = await firstWrite(cluster);

    const ended = await Promise.all(endings);
    expect(ended.filter(({ isAcknowledged, at }) => isAcknowledged && at > acknowledgedAt)).toEqual([]);
    await oneMasterIsLeft(cluster, node);
  },
);

shared.story(
  'a controller killed between pg_promote and running: one Master in the end, with every acknowledged write',
  async (cluster) => {
    await deadMastersJoinAgain(cluster);
    const described = cluster.describe();
    const old = masterOf(cluster);
    const port = masterPort(cluster);
    const writer = Writer.start(described, { port, everyMs: 5, isFresh: false });
    const traps = othersThan(described, old.name).map(({ name }) => new Failpoint(cluster, name, 'before-running'));
    try {
      await eventually('some writes', () => writer.acknowledged.length >= SOME_WRITES);
      for (const trap of traps) trap.set('kill');
      await cluster.kill(`${old.name}/postgres`);
      await eventually('a controller to die there', () => traps.find((trap) => trap.isReached()));
      for (const trap of traps) trap.remove();

      const { node: next } = await firstWrite(cluster);
      await eventually(`writes on ${next}`, () => writer.acknowledged.at(-1)?.node === next);
      await oneMasterIsLeft(cluster, next);
    } finally {
      for (const trap of traps) trap.remove();
      await writer.stop();
    }
    const kept = await idsBehind(described, port);
    expect(writer.acknowledged.filter(({ id }) => !kept.has(id))).toEqual([]);
  },
);

describe('a node frozen between pg_promote and running, which thaws when the next Master runs', () => {
  let frozen = '';
  let next = '';

  /**
   * What no lease can cover is left out by the order of thawing: until its runner looks at the clock, a thawed node may answer
   * clients that reached it past the load balancers.
   */
  shared.story(
    'acknowledges no write after the first of the next Master once its runner looks at the clock',
    async (cluster) => {
      await deadMastersJoinAgain(cluster);
      const described = cluster.describe();
      const old = masterOf(cluster);
      const writers = described.loadBalancers.map(({ masterPort: port }) =>
        Writer.start(described, { port, everyMs: 5, isFresh: false }),
      );
      const traps = othersThan(described, old.name).map(({ name }) => new Failpoint(cluster, name, 'before-running'));
      try {
        for (const trap of traps) trap.set('wait');
        await cluster.kill(`${old.name}/postgres`);
        const { node } = await eventually('a controller to wait there', () => traps.find((trap) => trap.isReached()));
        frozen = node;
        const { postgresPort: port, dataDir } = cluster.node(frozen);
        // Past the load balancers, which do not lead to it yet.
        const past = [true, false].map((isFresh) => Writer.start(described, { port, everyMs: 5, isFresh }));
        writers.push(...past);
        await eventually(`${frozen} to take writes`, () =>
          past.every(({ acknowledged }) => acknowledged.length >= SOME_WRITES),
        );
        await cluster.freeze(frozen);
        for (const trap of traps) trap.remove();

        const first = await firstWrite(cluster);
        next = first.node;
        await cluster.thaw(`${frozen}/postgres-runner`);
        await eventually('the runner to fence, told by nobody', () => processesUnder(dataDir).length === 0);
        await cluster.thaw(frozen);
        await staysDead(cluster, frozen);
        const late = writers.flatMap((writer) => writer.acknowledged.filter((write) => isLate(write, first)));
        expect(late).toEqual([]);
      } finally {
        for (const trap of traps) trap.remove();
        await Promise.all(writers.map((writer) => writer.stop()));
      }
    },
  );

  shared.story(
    'has made the same timeline number as that Master, and is not taken for a Replica of it',
    async (cluster) => {
      const { postgresPort } = cluster.node(next);
      expect(newestTimeline(cluster.node(frozen))).toBe(newestTimeline(cluster.node(next)));
      for (const happens of [() => Promise.resolve(), () => cluster.restart(frozen)]) {
        await happens();
        await staysDead(cluster, frozen);
        const sql = 'SELECT application_name AS name FROM pg_stat_replication';
        const receivers = await query<{ name: string }>(cluster.describe(), postgresPort, sql);
        expect(receivers.map(({ name }) => name)).not.toContain(frozen);
      }
    },
  );
});

function isLate({ node, answeredAt }: Write, first: { node: string; acknowledgedAt: number }): boolean {
  return node !== first.node && answeredAt > first.acknowledgedAt;
}

/** Whoever else was Master is fenced, with nothing of PostgreSQL left, and the others stream. */
async function oneMasterIsLeft(cluster: RemoteCluster, master: string): Promise<void> {
  for (const { name } of othersThan(cluster.describe(), master)) {
    await eventually(`${name} to be a Replica that streams, or a DeadMaster`, async () => {
      const status = await readNodeStatus(cluster.node(name).roleServerUrl);
      return (status?.role === 'Replica' && status.streaming) || isDead(status);
    });
    if (cluster.node(name).role === 'DeadMaster') expect(processesUnder(cluster.node(name).dataDir)).toEqual([]);
  }
  expect(cluster.master?.name).toBe(master);
}

async function staysDead(cluster: RemoteCluster, name: string): Promise<void> {
  const { roleServerUrl, dataDir } = cluster.node(name);
  await eventually(`${name} to be a blocked DeadMaster`, async () => isDead(await readNodeStatus(roleServerUrl)));
  expect(processesUnder(dataDir)).toEqual([]);
}

/** Its runner says that it is blocked: PostgreSQL is not only told to stop but gone. */
function isDead(status: NodeStatus | null): boolean {
  return status?.role === 'DeadMaster' && status.runnerPhase === 'blocked';
}

/** Waits for a write through the load balancer on a connection that is opened from now on. */
async function firstWrite(cluster: RemoteCluster): Promise<{ node: string; acknowledgedAt: number }> {
  const writer = Writer.start(cluster.describe(), { port: masterPort(cluster), everyMs: 5, isFresh: true });
  try {
    const { node, answeredAt } = await eventually('a write on the next Master', () => writer.acknowledged[0]);
    return { node: node ?? '', acknowledgedAt: answeredAt };
  } finally {
    await writer.stop();
  }
}

function masterOf(cluster: RemoteCluster): ClusterNode {
  const { master } = cluster;
  if (master === null) throw new Error('a cluster that has settled has a Master');
  return master;
}

function masterPort(cluster: RemoteCluster): number {
  const [lb] = cluster.describe().loadBalancers;
  if (lb === undefined) throw new Error('a cluster has a load balancer');
  return lb.masterPort;
}
