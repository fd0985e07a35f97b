import { readNodeStatus, type RemoteCluster } from '@ha-postgres/local-cluster';
import { loadOn } from './load';
import { refuses } from './load-balancers';
import { Newcomer } from './newcomer';
import { sharedCluster } from './shared-cluster';
import { isToldAble, outcomeOf, promotions, requestSwitchover } from './switchover-request';
import { eventually, settled } from './wait-for';

const MORE_WRITES = 20;

const shared = sharedCluster({});

/** The Master hands over to a node (null: to the best); everything that must hold of that. */
async function handsOver(cluster: RemoteCluster, to: string | null): Promise<void> {
  const described = cluster.describe();
  const from = cluster.master?.name ?? '';
  const load = await loadOn(cluster, { clients: [{ everyMs: 2, isFresh: false }], probeEveryMs: 200 });
  const newcomers = described.loadBalancers.map(({ masterPort }) => Newcomer.start(described, masterPort));
  let next: string;
  try {
    await load.moreWrites(MORE_WRITES);
    const { promotion, refused } = await outcomeOf(cluster, await requestSwitchover(described, from, to));
    expect(refused).toBeNull();
    next = promotion?.node ?? '';
    expect(promotion?.why).not.toMatch(/did not take over/);
    await load.moreWrites(MORE_WRITES);
    await settled(cluster);
  } finally {
    await Promise.all([load, ...newcomers].map((client) => client.stop()));
  }
  if (to !== null) expect(next).toBe(to);
  expect(next).not.toBe(from);
  expect(await readNodeStatus(cluster.node(from).roleServerUrl)).toMatchObject({ role: 'Replica', streaming: true });
  expect(newcomers.flatMap(({ refusals }) => refusals)).toEqual([]);
  expect(newcomers.every(({ served }) => served > MORE_WRITES)).toBe(true);
  const { violations, writers } = await load.finish();
  expect(violations).toEqual([]);
  expect(writers.map(({ node }) => node)).toEqual([from, next]);
}

describe('a switchover under load loses nothing, refuses no new connection, and leaves the old Master a Replica that streams', () => {
  shared.story('to each node in turn', async (cluster) => {
    const first = cluster.master?.name ?? '';
    const others = cluster
      .describe()
      .nodes.map(({ name }) => name)
      .filter((name) => name !== first);
    for (const to of [...others, first]) await handsOver(cluster, to);
  });

  shared.story('to the best Replica, where none is named', async (cluster) => {
    await handsOver(cluster, null);
  });

  shared.story('and is told in the history: which, from whom, and where the new history begins', async (cluster) => {
    const from = cluster.master?.name ?? '';
    const to = cluster.describe().nodes.find(({ name }) => name !== from)?.name ?? '';
    const id = await requestSwitchover(cluster.describe(), from, to);
    const { promotion } = await outcomeOf(cluster, id);
    expect(promotion).toMatchObject({ node: to, from, why: `switchover ${id}`, switchover: id });
    await settled(cluster);
  });
});

describe('a switchover that cannot be is refused, with the reason, and nothing changes', () => {
  const isRefused = async (cluster: RemoteCluster, from: string, to: string | null, why: RegExp): Promise<void> => {
    const master = cluster.master?.name ?? '';
    const before = (await promotions(cluster.describe())).length;
    const id = await requestSwitchover(cluster.describe(), from, to);
    const { refused } = await outcomeOf(cluster, id);
    expect(refused?.why).toMatch(why);
    expect((await promotions(cluster.describe())).length).toBe(before);
    expect(cluster.master?.name).toBe(master);
    for (const { masterPort } of cluster.describe().loadBalancers)
      expect(await refuses(cluster.describe(), masterPort)).toBe(false);
  };

  shared.story('asked of a node that is not the Master', async (cluster) => {
    const replica = cluster.describe().nodes.find(({ role }) => role === 'Replica')?.name ?? '';
    await isRefused(cluster, replica, null, /is the Master$/);
  });

  shared.story('to itself, or to a node that there is not', async (cluster) => {
    const master = cluster.master?.name ?? '';
    await isRefused(cluster, master, master, /is the Master already/);
    await isRefused(cluster, master, 'node9', /node9 is not on the list of members/);
  });

  shared.story('to a Replica whose PostgreSQL hangs', async (cluster) => {
    const master = cluster.master?.name ?? '';
    const replica = cluster.describe().nodes.find(({ role }) => role === 'Replica')?.name ?? '';
    await cluster.freeze(`${replica}/postgres`);
    try {
      await eventually(`${replica} to say so`, async () => (await isToldAble(cluster.describe(), replica)) === false);
      await isRefused(cluster, master, replica, /could not take over|does not stream/);
    } finally {
      await cluster.thaw(`${replica}/postgres`);
    }
    await settled(cluster);
  });
});
