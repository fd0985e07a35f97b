import type { RemoteCluster } from '@ha-postgres/local-cluster';
import { handsOver } from './hands-over';
import { refuses } from './load-balancers';
import { sharedCluster } from './shared-cluster';
import { isToldAble, outcomeOf, promotions, requestSwitchover } from './switchover-request';
import { eventually, settled } from './wait-for';

const shared = sharedCluster({});

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
