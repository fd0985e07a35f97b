import type { NodeStatus } from '@ha-postgres/cluster-state';
import { readNodeStatus, type RemoteCluster } from '@ha-postgres/local-cluster';
import { loseConsulsData, restoreSnapshot, saveSnapshot } from './consul-data';
import { hapg, typed } from './hapg';
import { masterKey } from './master-key';
import { story } from './story';
import { eventually, newMaster } from './wait-for';
import { idsBehind, makeWritesTable, Writer } from './writer';

const SOME_WRITES = 30;
const acknowledged: number[] = [];
let master = '';

interface StatusShown {
  readonly nodes: readonly { readonly node: string; readonly status: NodeStatus | null }[];
  readonly advice: readonly { readonly what: string; readonly remedies: readonly string[] }[];
}

story('life after Consul’s data is lost', { loadBalancers: 1 }, (sentence) => {
  sentence('a cluster with a Master, Replicas and acknowledged writes', async (cluster) => {
    master = cluster.master?.name ?? '';
    await makeWritesTable(cluster.describe(), portOf(cluster, master));
    await someWrites(cluster);
  });

  sentence(
    'all of Consul’s data is lost: the Master ends, and every node says that it does not take over, and why',
    async (cluster) => {
      await loseConsulsData(cluster);
      await everyNodeRefuses(cluster, 'the master key is gone');
      expect(cluster.describe().nodes.map(({ role }) => role)).not.toContain('Master');
    },
  );

  sentence(
    'the nodes have said that there is a cluster, so that an empty node makes no second one',
    async (cluster) => {
      const { consul } = cluster.describe();
      const response = await fetch(`${consul.http}/v1/kv/${consul.prefix}/initialize?raw`);
      expect(await response.json()).toMatchObject({ systemId: expect.stringMatching(/^\d+$/) as string });
    },
  );

  sentence('hapg status explains it, ranks the nodes, and says what to type', async (cluster) => {
    const advice = await eventually('all nodes to be ranked', async () => {
      const shown = JSON.parse(await typed(cluster.describe(), 'status', '--json')) as StatusShown;
      const found = shown.advice.find(({ remedies }) => remedies.some((text) => text.startsWith('hapg bootstrap')));
      return found !== undefined && ['node0', 'node1', 'node2'].every((node) => found.what.includes(`${node}: data`))
        ? found
        : null;
    });
    // Who was Master has everything that was acknowledged.
    expect(advice.remedies).toEqual([expect.stringMatching(/^hapg bootstrap --from node\d$/)]);
  });

  sentence('hapg bootstrap asks first, and refuses what it cannot answer for', async (cluster) => {
    const described = cluster.describe();
    expect(await hapg(described, 'bootstrap', '--from', master)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('HAPG_COMMAND_UNCONFIRMED') as string,
    });
    expect(await hapg(described, 'bootstrap', '--from', 'nobody', '--yes')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('"nobody"') as string,
    });
    const silent = described.nodes.find(({ name }) => name !== master)?.name ?? '';
    await cluster.kill(`${silent}/role-server`, true);
    const refused = await hapg(described, 'bootstrap', '--from', master, '--yes');
    expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('--unreachable-are-down') as string });
    await cluster.start(`${silent}/role-server`);
  });

  sentence(
    'hapg bootstrap makes the keys anew: the named node is Master, the others follow, nothing is lost',
    async (cluster) => {
      await eventually('all nodes to answer', () => everyNode(cluster, (status) => status.consulWentBack != null));
      expect(await typed(cluster.describe(), 'bootstrap', '--from', master, '--yes')).toContain(
        `${master} runs as Master`,
      );
      await settledWith(cluster, master);
      await nothingIsLost(cluster);
      expect((await masterKey(cluster.describe())).term).toBeGreaterThan(1000);
      await someWrites(cluster);
    },
  );

  sentence('after that the cluster fails over by itself again', async (cluster) => {
    await cluster.kill(`${master}/postgres`);
    master = (await newMaster(cluster, master)).name;
    await nothingIsLost(cluster);
    await someWrites(cluster);
  });
});

story('an old snapshot of Consul is restored', { loadBalancers: 1 }, (sentence) => {
  let snapshot: Uint8Array = Buffer.alloc(0);

  sentence('it shows a Master that has released the lock, while the cluster was paused', async (cluster) => {
    acknowledged.length = 0;
    master = cluster.master?.name ?? '';
    await makeWritesTable(cluster.describe(), portOf(cluster, master));
    await typed(cluster.describe(), 'pause', '--why', 'for a snapshot');
    await cluster.kill(`${master}/postgres`);
    await eventually('the lock to be released', async () => (await masterKey(cluster.describe())).released);
    snapshot = await saveSnapshot(cluster.describe());
  });

  sentence('the cluster goes on, with another term', async (cluster) => {
    const { term } = await masterKey(cluster.describe());
    await typed(cluster.describe(), 'resume');
    master = await eventually('a Master', () => cluster.master?.name);
    await someWrites(cluster);
    expect((await masterKey(cluster.describe())).term).toBeGreaterThan(term);
  });

  sentence('restored, it makes nobody Master, though the lock looks free', async (cluster) => {
    await restoreSnapshot(cluster.describe(), snapshot);
    await typed(cluster.describe(), 'resume', '--wait', '30s');
    await everyNodeRefuses(cluster, "Consul's memory went back");
    expect(cluster.master).toBeNull();
    expect((await masterKey(cluster.describe())).released).toBe(true);
  });

  sentence('hapg bootstrap names the Master of the newest data, and nothing is lost', async (cluster) => {
    const shown = JSON.parse(await typed(cluster.describe(), 'status', '--json')) as StatusShown;
    const remedy = shown.advice.flatMap(({ remedies }) => remedies).find((text) => text.startsWith('hapg bootstrap'));
    expect(remedy).toBeDefined();
    await typed(cluster.describe(), 'bootstrap', '--from', master, '--yes');
    await eventually(`${master} to be Master`, () => cluster.master?.name === master);
    await nothingIsLost(cluster);
    await someWrites(cluster);
  });
});

function portOf(cluster: RemoteCluster, node: string): number {
  return cluster.node(node).postgresPort;
}

/** Through the load balancer, as clients do. */
async function someWrites(cluster: RemoteCluster): Promise<void> {
  const port = cluster.describe().loadBalancers[0]?.masterPort ?? 0;
  const writer = Writer.start(cluster.describe(), { port, everyMs: 5, isFresh: false });
  try {
    await eventually('some writes', () => writer.acknowledged.length >= SOME_WRITES);
  } finally {
    await writer.stop();
  }
  acknowledged.push(...writer.acknowledged.map(({ id }) => id));
}

async function nothingIsLost(cluster: RemoteCluster): Promise<void> {
  const ids = await eventually('the Master to be read', () =>
    idsBehind(cluster.describe(), portOf(cluster, master)).catch(() => null),
  );
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
}

async function everyNode(cluster: RemoteCluster, holds: (status: NodeStatus) => boolean): Promise<boolean> {
  const statuses = await Promise.all(
    cluster.describe().nodes.map(({ roleServerUrl }) => readNodeStatus(roleServerUrl)),
  );
  return statuses.every((status) => status !== null && holds(status));
}

/** By its own word: Consul is not to be trusted, and PostgreSQL, where it runs, is in standby mode. */
async function everyNodeRefuses(cluster: RemoteCluster, why: string): Promise<void> {
  await eventually(`every node to say that ${why}`, () =>
    everyNode(
      cluster,
      ({ consulWentBack, role, inRecovery }) =>
        consulWentBack?.includes(why) === true && role !== 'Master' && inRecovery !== false,
    ),
  );
}

/** All others stream from that Master. */
async function settledWith(cluster: RemoteCluster, name: string): Promise<void> {
  await eventually(
    `all to follow ${name}`,
    async () => cluster.master?.name === name && (await cluster.whatIsMissing()) === null,
  );
}
