import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterFile, RemoteCluster } from '@ha-postgres/local-cluster';
import { allServersVote, leadingServer } from './consul-servers';
import { loadOn, throughFirst } from './load';
import { masterKey } from './master-key';
import { sharedCluster } from './shared-cluster';
import { Visitor } from './visitor';
import { eventually, settled } from './wait-for';

/** Writes that each client must have acknowledged before and after a disturbance. */
const MORE_WRITES = 20;
const MORE_VISITS = 20;
const AGENT_DOWN_MS = 30_000;

const shared = sharedCluster({ consulServers: 3 });

describe('no failover and no failed write', () => {
  shared.story('while Consul’s leader is killed, and once more when it has returned', (cluster) =>
    survives(cluster, async () => {
      await consulLeaderIsKilledAndReturns(cluster);
      await consulLeaderIsKilledAndReturns(cluster);
    }),
  );

  shared.story('while the Master’s Consul agent is restarted', (cluster) =>
    survives(cluster, async (master) => {
      await isReplaced(cluster, `${master}/consul`, () => cluster.restart(`${master}/consul`));
      await masterBeats(cluster);
    }),
  );

  shared.story('while the Master’s Consul agent is down for 30 s', (cluster) =>
    survives(cluster, async (master) => {
      const agent = `${master}/consul`;
      await isReplaced(cluster, agent, async () => {
        await cluster.kill(agent, true);
        await delay(AGENT_DOWN_MS);
        await masterBeats(cluster);
        await cluster.start(agent);
      });
      await masterBeats(cluster);
    }),
  );

  for (const way of ['restart', 'kill'] as const) {
    const done = way === 'kill' ? 'killed' : 'restarted';

    shared.story(`while the load balancer’s lb-syncer is ${done}`, (cluster) =>
      survives(cluster, () => isReplaced(cluster, 'lb0/lb-syncer', () => cluster[way]('lb0/lb-syncer'))),
    );

    for (const service of ['db-controller', 'role-server']) {
      shared.story(`while the Master’s ${service} is ${done}`, (cluster) =>
        survives(cluster, (master) => {
          const target = `${master}/${service}`;
          return isReplaced(cluster, target, () => cluster[way](target));
        }),
      );

      shared.story(`while a Replica’s ${service} is ${done}`, (cluster) =>
        survives(cluster, (master) => {
          const target = `${replicaOf(cluster, master)}/${service}`;
          return isReplaced(cluster, target, () => cluster[way](target));
        }),
      );
    }
  }
});

describe('no failover and no misrouted client', () => {
  for (const way of ['kill', 'restart'] as const) {
    shared.story(
      `while an HAProxy is ${way === 'kill' ? 'killed' : 'restarted'}; it refuses until its routes are back`,
      (cluster) =>
        // The clients that write go through another load balancer.
        survives(cluster, async (master) => {
          const described = cluster.describe();
          const lb = described.loadBalancers[1];
          if (lb === undefined) throw new Error('this cluster has a second load balancer');
          const toMaster = Visitor.start(described, lb.masterPort);
          const toStandby = Visitor.start(described, lb.standbyPort);
          const both = [toMaster, toStandby];
          try {
            await moreArrivals(both);
            await isReplaced(cluster, `${lb.name}/haproxy`, () => cluster[way](`${lb.name}/haproxy`));
            await moreArrivals(both);
          } finally {
            await Promise.all(both.map((visitor) => visitor.stop()));
          }
          expect(nodesOf(toMaster)).toEqual([master]);
          expect(nodesOf(toStandby)).not.toContain(master);
          expect(both.every(({ refusals }) => refusals > 0)).toBe(true);
        }),
    );
  }
});

/** The same Master in the same term, and every write acknowledged, whatever is done meanwhile. */
async function survives(cluster: RemoteCluster, disturbance: (master: string) => Promise<unknown>): Promise<void> {
  const described = cluster.describe();
  const { node, term } = await masterKey(described);
  const clients = [
    { everyMs: 5, isFresh: false },
    { everyMs: 20, isFresh: true },
  ];
  const load = await loadOn(cluster, { ...throughFirst(cluster), clients });
  try {
    await load.moreWrites(MORE_WRITES);
    await disturbance(node);
    await settled(cluster);
    await load.moreWrites(MORE_WRITES);
  } finally {
    await load.stop();
  }
  expect([...load.history.writes].flatMap(({ failure }) => failure ?? [])).toEqual([]);
  expect((await load.finish()).violations).toEqual([]);
  expect(await masterKey(described)).toMatchObject({ node, term, phase: 'running' });
}

/** Does something to a process and waits until another one runs in its place. */
async function isReplaced(cluster: RemoteCluster, target: string, how: () => Promise<void>): Promise<void> {
  const before = pidOf(cluster.describe(), target);
  await how();
  await eventually(`another process as ${target}`, () => {
    const pid = pidOf(cluster.describe(), target);
    return pid !== null && pid !== before;
  });
}

function pidOf({ nodes, loadBalancers }: ClusterFile, target: string): number | null {
  const [member, process = ''] = target.split('/');
  return [...nodes, ...loadBalancers].find(({ name }) => name === member)?.processes[process] ?? null;
}

async function consulLeaderIsKilledAndReturns(cluster: RemoteCluster): Promise<void> {
  const described = cluster.describe();
  const leader = await eventually('a Consul leader among servers that all vote', async () =>
    (await allServersVote(described)) ? leadingServer(described) : null,
  );
  // Started again at once it would often be elected again.
  await cluster.kill(`${leader}/consul`, true);
  await eventually('another Consul leader', async () => {
    const next = await leadingServer(described);
    return next !== null && next !== leader;
  });
  await masterBeats(cluster);
  await cluster.start(`${leader}/consul`);
  await eventually('all Consul servers to vote', () => allServersVote(described));
}

/** Waits until Consul has taken two more beats of the Master: one may have been under way. */
async function masterBeats(cluster: RemoteCluster): Promise<void> {
  const described = cluster.describe();
  const { beat } = await eventually('Consul to tell the key', () => masterKey(described));
  await eventually('two more beats of the Master', async () => (await masterKey(described)).beat >= beat + 2);
}

function moreArrivals(visitors: readonly Visitor[]): Promise<unknown> {
  const aims = visitors.map((visitor) => visitor.arrivals.length + MORE_VISITS);
  return eventually('more connections to every port', () =>
    visitors.every((visitor, index) => visitor.arrivals.length >= (aims[index] ?? 0)),
  );
}

function nodesOf(visitor: Visitor): string[] {
  return [...new Set(visitor.arrivals.map(({ node }) => node ?? ''))].sort();
}

function replicaOf(cluster: RemoteCluster, master: string): string {
  const replica = cluster.describe().nodes.find(({ name }) => name !== master);
  if (replica === undefined) throw new Error('a cluster of three has a Replica');
  return replica.name;
}
