import type { ClusterNode, RemoteCluster } from '@ha-postgres/local-cluster';
import { query } from './client';
import { Failpoint } from './failpoint';
import { lbStatusKey, membersKey } from './keys';
import { loadOn } from './load';
import { logOf, type LogLine } from './log-of';
import { story } from './story';
import { eventually, settled } from './wait-for';

const MEGABYTE = 1024 * 1024;

/** What the Master's controller has logged of asking the members, since now. */
function failsafeSince(cluster: RemoteCluster, node: string): () => LogLine[] {
  const all = () => logOf(cluster, `${node}/db-controller`).filter(({ event }) => event === 'failsafe.asked');
  const before = all().length;
  return () => all().slice(before);
}

/** Nodes that did not agree to failsafe. */
const refusedBy = (lines: readonly LogLine[]): string[] =>
  lines.flatMap(({ refusals }) => (refusals ?? []).map(({ node }) => node));

async function isReady(node: ClusterNode, query = ''): Promise<{ status: number; why: string }> {
  const answer = await fetch(`${node.roleServerUrl}/controller/ready${query}`, { signal: AbortSignal.timeout(2_000) });
  return { status: answer.status, why: ((await answer.json()) as { why: string }).why };
}

/** The nodes that all load balancers lead readers to; null while they do not say the same. */
async function readersGoTo(cluster: RemoteCluster): Promise<string[] | null> {
  const described = cluster.describe();
  const said = await Promise.all(described.loadBalancers.map(({ name }) => lbStatusKey(described, name)));
  const [first = '', ...others] = said.map(({ standbys }) => [...standbys].sort().join());
  return others.every((names) => names === first) ? first.split(',') : null;
}

const masterOf = (cluster: RemoteCluster): Promise<ClusterNode> => eventually('a Master', () => cluster.master);

async function aReplica(cluster: RemoteCluster): Promise<ClusterNode> {
  const { name } = await masterOf(cluster);
  const replica = cluster.describe().nodes.find((node) => node.name !== name);
  if (replica === undefined) throw new Error('this cluster has a Replica');
  return replica;
}

story(
  'Nodes that come and go',
  { loadBalancers: 2, settings: { failpoints: 'true', maximumLagOnRead: String(MEGABYTE) } },
  (sentence) => {
    sentence('a node that is added is asked for failsafe before it is on the list of members', async (cluster) => {
      const master = await masterOf(cluster);
      const writing = new Failpoint(cluster, master.name, 'before-members');
      writing.set();
      await cluster.addNode('node3');
      await eventually('the list with node3 is about to be written', () => writing.isReached());
      expect(await membersKey(cluster.describe())).not.toContain('node3');
      // Without Consul the Master stays only if everybody agrees who may take over, and who is about to.
      const asked = failsafeSince(cluster, master.name);
      await cluster.kill('consul0', true);
      await eventually('all have agreed to failsafe several times', () => {
        return asked().filter(({ extended }) => extended === true).length > 5;
      });
      await cluster.freeze('node3');
      await eventually('node3 does not agree', () => refusedBy(asked()).includes('node3'));
      await eventually('the Master is none any more', () => cluster.node(master.name).role !== 'Master');
      expect(new Set(refusedBy(asked()))).toEqual(new Set(['node3']));
      await cluster.thaw('node3');
      await cluster.start('consul0');
      writing.remove();
    });

    sentence('and then joins by its base backup, is a member, and gets readers', async (cluster) => {
      await settled(cluster);
      await eventually('node3 on the list', async () => (await membersKey(cluster.describe())).includes('node3'));
      await eventually('readers for node3', async () => (await readersGoTo(cluster))?.includes('node3'));
      expect(logOf(cluster, 'node3/postgres-runner').map(({ event }) => event)).toContain('clone.finished');
    });

    sentence(
      'a Replica further behind than maximumLagOnRead gets no readers, until it has caught up',
      async (cluster) => {
        const replica = await aReplica(cluster);
        const at = (sql: string) => query(cluster.describe(), replica.postgresPort, sql);
        await at('SELECT pg_wal_replay_pause()');
        const load = await loadOn(cluster);
        try {
          const [way] = cluster.describe().loadBalancers;
          await query(
            cluster.describe(),
            way?.masterPort ?? 0,
            `CREATE TABLE IF NOT EXISTS bulk (line text); INSERT INTO bulk SELECT repeat('x', 1000) FROM generate_series(1, 3000)`,
            10_000,
          );
          await eventually(
            'it is not ready for readers',
            async () => (await isReady(replica, '?role=Replica')).status === 503,
          );
          expect((await isReady(replica, '?role=Replica')).why).toMatch(/\d+ bytes behind the Master/);
          expect((await isReady(replica)).status).toBe(200);
          await eventually(
            'no readers for it',
            async () => (await readersGoTo(cluster))?.includes(replica.name) === false,
          );
          await at('SELECT pg_wal_replay_resume()');
          await eventually('readers for it', async () => (await readersGoTo(cluster))?.includes(replica.name));
          await eventually(
            'it is ready for them',
            async () => (await isReady(replica, '?role=Replica')).status === 200,
          );
        } finally {
          await load.stop();
        }
      },
    );

    sentence('a node that is stopped for good is asked until the list without it is confirmed', async (cluster) => {
      const master = await masterOf(cluster);
      const removed = await aReplica(cluster);
      const writing = new Failpoint(cluster, master.name, 'before-members');
      writing.set();
      await cluster.removeNode(removed.name);
      await eventually('the list without it is about to be written', () => writing.isReached(), 90_000);
      expect(await membersKey(cluster.describe())).toContain(removed.name);
      const asked = failsafeSince(cluster, master.name);
      await cluster.kill('consul0', true);
      await eventually('it is asked', () => refusedBy(asked()).includes(removed.name));
      await eventually('the Master is none any more', () => cluster.node(master.name).role !== 'Master');
      expect(asked().some(({ extended }) => extended)).toBe(false);
      await cluster.start('consul0');
      writing.remove();
    });

    sentence('and is a member no more, so that Consul’s absence is no matter again', async (cluster) => {
      await settled(cluster);
      await eventually(
        'a list of those that there are',
        async () => {
          const there = cluster.describe().nodes.map(({ name }) => name);
          return (await membersKey(cluster.describe())).join() === there.sort().join();
        },
        90_000,
      );
      const { name } = await masterOf(cluster);
      const asked = failsafeSince(cluster, name);
      const load = await loadOn(cluster);
      try {
        await cluster.kill('consul0', true);
        // Whose agent has not missed the server yet refuses at first: what counts is that they agree before the lease runs out.
        const agreed = () => asked().filter(({ extended }) => extended).length;
        await eventually('all have agreed to failsafe several times', () => agreed() > 20);
        expect(cluster.node(name).role).toBe('Master');
        await cluster.start('consul0');
        await settled(cluster);
        await load.stop();
        expect([...load.history.writes].flatMap(({ failure }) => failure ?? [])).toEqual([]);
        expect((await load.finish()).violations).toEqual([]);
      } finally {
        await load.stop();
      }
    });

    sentence('a node tagged noLoadBalance never gets readers, and says why', async (cluster) => {
      const free = ['node0', 'node1', 'node2', 'node3'].find(
        (name) => !cluster.describe().nodes.some((node) => node.name === name),
      );
      const name = free ?? 'node4';
      await cluster.addNode(name, { noLoadBalance: 'true' });
      await eventually(`${name} streams`, async () => (await isReady(cluster.node(name))).status === 200);
      await settled(cluster);
      expect(await isReady(cluster.node(name), '?role=Replica')).toEqual({ status: 503, why: 'tagged noLoadBalance' });
      const others = cluster
        .describe()
        .nodes.filter((node) => node.role === 'Replica' && node.name !== name)
        .map((node) => node.name);
      await eventually('readers for all others, and only them', async () => {
        return (await readersGoTo(cluster))?.join() === others.sort().join();
      });
    });
  },
);
