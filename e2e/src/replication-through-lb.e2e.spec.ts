import { termOfSlot } from '@ha-postgres/cluster-state';
import type { ClusterNode, RemoteCluster } from '@ha-postgres/local-cluster';
import { query } from './client';
import { masterKey } from './master-key';
import { loadOn } from './load';
import { logOf } from './log-of';
import { story } from './story';
import { eventually, newMaster, settled } from './wait-for';

interface Receiver {
  readonly port: number;
  readonly slot: string | null;
}

const RECEIVER = "SELECT sender_port AS port, slot_name AS slot FROM pg_stat_wal_receiver WHERE status = 'streaming'";

async function receiverOf(cluster: RemoteCluster, { postgresPort }: ClusterNode): Promise<Receiver | null> {
  const [row] = await query<Receiver>(cluster.describe(), postgresPort, RECEIVER).catch(() => []);
  return row ?? null;
}

const replicasOf = (cluster: RemoteCluster): ClusterNode[] =>
  cluster.describe().nodes.filter(({ role }) => role === 'Replica');

/** All others stream through a load balancer, by the slot of the term that runs now. */
async function allStreamThrough(cluster: RemoteCluster, lbs: readonly string[]): Promise<boolean> {
  const described = cluster.describe();
  const { term } = await masterKey(described);
  const doors = described.loadBalancers.filter(({ name }) => lbs.includes(name)).map((lb) => lb.replicationPort);
  const receivers = await Promise.all(replicasOf(cluster).map((node) => receiverOf(cluster, node)));
  const isRight = (receiver: Receiver | null) =>
    receiver !== null && doors.includes(receiver.port) && termOfSlot(receiver.slot ?? '') === term;
  return receivers.length === described.nodes.length - 1 && receivers.every(isRight);
}

const all = ['lb0', 'lb1'];

/** How often a node's data directory was filled by a base backup. */
const copies = (cluster: RemoteCluster): number[] =>
  cluster
    .describe()
    .nodes.map(({ name }) => logOf(cluster, `${name}/postgres-runner`))
    .map((lines) => lines.filter(({ event }) => event === 'clone.finished').length);

story(
  'Replication through the load balancers',
  { loadBalancers: 2, settings: { replicationVia: 'lb' } },
  (sentence) => {
    sentence('Replicas stream by the listener for it, each by its slot of the Master’s term', async (cluster) => {
      await eventually('all stream through a load balancer', () => allStreamThrough(cluster, all));
    });

    sentence('a new Master is followed by the same way, and nothing that was acknowledged is lost', async (cluster) => {
      const load = await loadOn(cluster);
      try {
        const old = cluster.master?.name ?? '';
        await load.moreWrites(50);
        await cluster.kill(`${old}/postgres`);
        await newMaster(cluster, old);
        await load.moreWrites(50);
        await settled(cluster);
        await eventually('all stream through a load balancer', () => allStreamThrough(cluster, all));
        expect((await load.finish()).violations).toEqual([]);
      } finally {
        await load.stop();
      }
    });

    sentence('a load balancer that is gone is passed over', async (cluster) => {
      await cluster.kill('lb0');
      await eventually('all stream through the other', () => allStreamThrough(cluster, ['lb1']));
      await cluster.start('lb0');
      await settled(cluster);
    });

    sentence('load balancers that still lead to a former Master give nobody WAL of another term', async (cluster) => {
      const before = copies(cluster);
      const refused = new Map(cluster.describe().nodes.map((node) => [node.name, refusals(cluster, node.name)]));
      const old = cluster.master?.name ?? '';
      // They lead to the old Master as long as nobody tells them: it comes back as a Replica, which has senders as well.
      for (const { name } of cluster.describe().loadBalancers) await cluster.kill(`${name}/lb-syncer`, true);
      await cluster.kill(`${old}/postgres`);
      const { name } = await newMaster(cluster, old);
      const master = cluster.node(name);
      // It has the role a moment before it has left recovery.
      await eventually('the new Master to take writes', () =>
        query(cluster.describe(), master.postgresPort, 'CREATE TABLE beyond_the_fork AS SELECT 1 AS one').catch(
          () => null,
        ),
      );
      const others = () => replicasOf(cluster).filter((node) => node.name !== old);
      await eventually('all are refused by the old Master, which itself is led to itself', () =>
        [old, ...others().map((node) => node.name)].every((node) => refusals(cluster, node) > (refused.get(node) ?? 0)),
      );
      for (const node of others()) expect(await receiverOf(cluster, node)).toBeNull();
      for (const { name: lb } of cluster.describe().loadBalancers) await cluster.start(`${lb}/lb-syncer`);
      await settled(cluster);
      await eventually('all stream through a load balancer', () => allStreamThrough(cluster, all));
      for (const node of others()) {
        const rows = await eventually('the new Master’s WAL', () =>
          query<{ one: number }>(cluster.describe(), node.postgresPort, 'SELECT one FROM beyond_the_fork').catch(
            () => null,
          ),
        );
        expect(rows).toEqual([{ one: 1 }]);
      }
      // Nobody had received what it must not, and had to begin anew for it.
      const [was, is] = [before, copies(cluster)];
      const theirs = cluster.describe().nodes.flatMap((node, i) => (node.name === old ? [] : [[was[i], is[i]]]));
      expect(theirs.every(([one, other]) => one === other)).toBe(true);
    });
  },
);

/**
 * How often the WAL receiver of a node was sent away: for a slot of another term, or, where it had gone on to the new timeline before it
 * had a slot, for that timeline.
 */
function refusals(cluster: RemoteCluster, node: string): number {
  const refusal = /could not start WAL streaming: .*ha_\d+_\w+.* does not exist|is behind recovery timeline/;
  return logOf(cluster, `${node}/postgres-runner`).filter((line) => refusal.test(JSON.stringify(line))).length;
}
