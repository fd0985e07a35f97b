import type { AcknowledgedWrite, Load } from '@ha-postgres/checker';
import type { NodeStatus } from '@ha-postgres/cluster-state';
import { processesUnder, readNodeStatus, type ClusterNode, type RemoteCluster } from '@ha-postgres/local-cluster';
import { query } from './client';
import { deadMastersJoinAgain } from './emptied-data';
import { Failpoint } from './failpoint';
import { loadOn, nodeOf, throughFirst } from './load';
import { othersThan } from './load-balancers';
import { sharedCluster } from './shared-cluster';
import { makeSlowTables, slowFunction, slowFunctionsRunning } from './slow-functions';
import { newestTimeline } from './timelines';
import { eventually } from './wait-for';

const BACKENDS = 8;
const SOME_WRITES = 20;

/** The schedules that broke an earlier form of the protocol. Those of the lock alone are tests of consul-election. */
const shared = sharedCluster({ settings: { failpoints: 'true', rejoin: 'never' } });

shared.story(
  'backends that outlive their killed postmaster acknowledge nothing after the new Master’s first write',
  async (cluster) => {
    const described = cluster.describe();
    const old = masterOf(cluster);
    await makeSlowTables(described, old.postgresPort);
    const endings = Array.from({ length: BACKENDS }, (_, id) => slowFunction(described, old.postgresPort, id));
    const running = () => slowFunctionsRunning(described, old.postgresPort);
    await eventually('all functions to run', async () => (await running()) === BACKENDS);

    const load = await loadOn(cluster, throughFirst(cluster));
    try {
      await cluster.kill(`${old.name}/postgres`);
      const first = await firstWrite(load, cluster, { notOn: old.name });

      const ended = await Promise.all(endings);
      const isLate = (at: number) => at > first.acknowledgement.at;
      expect(ended.filter(({ isAcknowledged, at }) => isAcknowledged && isLate(at))).toEqual([]);
      await oneMasterIsLeft(cluster, nodeOf(described, first));
    } finally {
      await load.stop();
    }
  },
);

shared.story(
  'a controller killed between pg_promote and running: one Master in the end, with every acknowledged write',
  async (cluster) => {
    await deadMastersJoinAgain(cluster);
    const described = cluster.describe();
    const old = masterOf(cluster);
    const load = await loadOn(cluster, throughFirst(cluster));
    const traps = othersThan(described, old.name).map(({ name }) => new Failpoint(cluster, name, 'before-running'));
    try {
      await load.moreWrites(SOME_WRITES);
      for (const trap of traps) trap.set('kill');
      await cluster.kill(`${old.name}/postgres`);
      await eventually('a controller to die there', () => traps.find((trap) => trap.isReached()));
      const before = load.history.acknowledged.length;
      for (const trap of traps) trap.remove();

      const first = await firstWrite(load, cluster, { after: before });
      await oneMasterIsLeft(cluster, nodeOf(described, first));
    } finally {
      for (const trap of traps) trap.remove();
      await load.stop();
    }
    expect((await load.finish()).violations).toEqual([]);
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
      const load = await loadOn(cluster);
      const traps = othersThan(described, old.name).map(({ name }) => new Failpoint(cluster, name, 'before-running'));
      try {
        for (const trap of traps) trap.set('wait');
        await cluster.kill(`${old.name}/postgres`);
        const { node } = await eventually('a controller to wait there', () => traps.find((trap) => trap.isReached()));
        frozen = node;
        const { dataDir } = cluster.node(frozen);
        // Past the load balancers, which do not lead to it yet.
        const past = [true, false].map((isFresh) => load.writeStraightTo(frozen, { everyMs: 5, isFresh }));
        await eventually(`${frozen} to take writes`, () =>
          past.every(({ acknowledged }) => acknowledged.length >= SOME_WRITES),
        );
        await cluster.freeze(frozen);
        const before = load.history.acknowledged.length;
        for (const trap of traps) trap.remove();

        const first = await firstWrite(load, cluster, { after: before, notOn: frozen });
        next = nodeOf(described, first);
        await cluster.thaw(`${frozen}/postgres-runner`);
        await eventually('the runner to fence, told by nobody', () => processesUnder(dataDir).length === 0);
        await cluster.thaw(frozen);
        await staysDead(cluster, frozen);
        const isLate = (write: AcknowledgedWrite) =>
          nodeOf(described, write) !== next && write.acknowledgement.at > first.acknowledgement.at;
        expect(load.history.acknowledged.filter(isLate)).toEqual([]);
      } finally {
        for (const trap of traps) trap.remove();
        await load.stop();
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

/**
 * Waits for the first write of the next Master: it may be any node but `notOn`, the killed Master as well where nobody ran
 * after it. Writes that were acknowledged before it could run are left out by their number, `after`.
 */
function firstWrite(
  load: Load,
  cluster: RemoteCluster,
  { after = 0, notOn }: { after?: number; notOn?: string },
): Promise<AcknowledgedWrite> {
  const described = cluster.describe();
  return eventually('a write on the next Master', () =>
    load.history.acknowledged.slice(after).find((write) => nodeOf(described, write) !== notOn),
  );
}

function masterOf(cluster: RemoteCluster): ClusterNode {
  const { master } = cluster;
  if (master === null) throw new Error('a cluster that has settled has a Master');
  return master;
}
