import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processesUnder, readNodeStatus, type RemoteCluster } from '@ha-postgres/local-cluster';
import { nodeBehind, query } from './client';
import { Failpoint } from './failpoint';
import {
  allAnswer,
  allClosed,
  dropAllThrough,
  holdThroughAll,
  othersThan,
  portsOf,
  refuses,
  standbysAt,
  type HeldThrough,
} from './load-balancers';
import { logOf } from './log-of';
import { ReceiverKiller } from './receiver-killer';
import { story } from './story';
import { inTurn, Visitor } from './visitor';
import { eventually, newMaster } from './wait-for';

const HELD = 10;

story('The origin’s story', { settings: { failpoints: 'true', rejoin: 'never' } }, (sentence) => {
  let old = '';
  let promoted = '';
  let other = '';
  let held: HeldThrough[] = [];
  let failpoints: Failpoint[] = [];
  let visitors: Visitor[] = [];
  let bystanders: Visitor[] = [];
  /** How often PostgreSQL had been started on the old Master when it became DeadMaster. */
  let startsBefore = 0;

  afterAll(async () => {
    dropAllThrough(held);
    await Promise.all([...visitors, ...bystanders].map((visitor) => visitor.stop()));
  });

  sentence('a table made through one load balancer is there on both Replicas, with its rows', async (cluster) => {
    const described = cluster.describe();
    old = cluster.master?.name ?? '';
    const [first, second] = portsOf(described, 'masterPort');
    await query(described, first ?? 0, 'CREATE TABLE story (id int PRIMARY KEY)');
    await query(described, second ?? 0, 'INSERT INTO story SELECT generate_series(1, 100)');
    for (const replica of othersThan(described, old)) await rowsOn(cluster, replica.name, 100);
  });

  sentence(
    'connections to the Master port end at the Master, those to the standby port at both Replicas',
    async (cluster) => {
      held = await holdThroughAll(cluster.describe(), HELD);
      for (const { master, standby } of held) {
        expect(master.map(({ node }) => node)).toEqual(Array(HELD).fill(old));
        const replicas = othersThan(cluster.describe(), old).map(({ name }) => name);
        expect([...new Set(standby.map(({ node }) => node))].sort()).toEqual(replicas.sort());
      }
    },
  );

  sentence('when the Master’s PostgreSQL is frozen, all connections to it are closed', async (cluster) => {
    const described = cluster.describe();
    // The next Master waits before it promotes, so that what holds in between can be seen.
    failpoints = othersThan(described, old).map(({ name }) => new Failpoint(cluster, name, 'before-promote'));
    for (const failpoint of failpoints) failpoint.set();
    visitors = portsOf(described, 'masterPort').map((port) => Visitor.start(described, port));
    await eventually('every Master port to be visited', () => visitors.every(({ arrivals }) => arrivals.length > 0));

    await cluster.freeze(`${old}/postgres`);
    for (const { lb, master } of held)
      await eventually(`the connections to ${old} through ${lb.name} to be closed`, () => allClosed(master));
  });

  sentence('new connections to the Master port are refused while there is no Master', async (cluster) => {
    const described = cluster.describe();
    const there = await eventually('a Replica to be about to promote', () =>
      failpoints.find((failpoint) => failpoint.isReached()),
    );
    promoted = there.node;
    other = othersThan(described, old, promoted)[0]?.name ?? '';
    for (const port of portsOf(described, 'masterPort')) expect(await refuses(described, port)).toBe(true);
  });

  sentence('standby connections to the node that is promoted are closed, and no new ones go there', async (cluster) => {
    const described = cluster.describe();
    await eventually(`the standby connections to ${promoted} to be closed`, () =>
      allClosed(standbysAt(held, promoted)),
    );
    bystanders = portsOf(described, 'standbyPort').map((port) => Visitor.start(described, port));
    await eventually('every standby port to be visited', () => bystanders.every(({ visits }) => visits.length > 0));
  });

  sentence(
    'new connections to the Master port go to the new Master once it is there, and never went elsewhere',
    async (cluster) => {
      const described = cluster.describe();
      for (const failpoint of failpoints) failpoint.remove();
      expect((await newMaster(cluster, old)).name).toBe(promoted);
      for (const port of portsOf(described, 'masterPort')) {
        await eventually(
          `port ${port} to lead to ${promoted}`,
          async () => (await nodeBehind(described, port)) === promoted,
        );
        await query(described, port, 'INSERT INTO story SELECT max(id) + 1 FROM story');
      }
      await Promise.all(visitors.map((visitor) => visitor.stop()));
      for (const { visits } of visitors) expect(inTurn(visits)).toEqual([old, null, promoted]);
    },
  );

  sentence('the remaining Replica streams from the new Master and never left the standby port', async (cluster) => {
    const described = cluster.describe();
    await streams(cluster, other);
    const rows = await query<{ port: number }>(
      described,
      cluster.node(other).postgresPort,
      'SELECT sender_port AS port FROM pg_stat_wal_receiver',
    );
    expect(rows).toEqual([{ port: cluster.node(promoted).postgresPort }]);
    await rowsOn(cluster, other, 102);

    await Promise.all(bystanders.map((visitor) => visitor.stop()));
    for (const { visits } of bystanders) expect(inTurn(visits)).toEqual([other]);
    const stayed = standbysAt(held, other);
    expect(stayed.length).toBeGreaterThan(0);
    expect(await allAnswer(stayed)).toBe(true);
  });

  sentence('the old Master is a DeadMaster, whose PostgreSQL does not run', async (cluster) => {
    await blocked(cluster, old);
    startsBefore = startsOfPostgres(cluster, old);
  });

  for (const [process, sign] of [
    ['postgres-runner', (line) => line.event === 'instruction.changed' && line.instruction?.kind === 'blocked'],
    ['db-controller', (line) => line.event === 'rule.changed' && line.rule === 'deadMasterStaysBlocked'],
    ['role-server', (line) => line.event === 'app.running'],
  ] as const satisfies readonly (readonly [string, (line: ReturnType<typeof logOf>[number]) => boolean])[]) {
    sentence(`the DeadMaster stays down when its ${process} is started again`, async (cluster) => {
      const target = `${old}/${process}`;
      const lines = logOf(cluster, target).length;
      await cluster.restart(target);
      await eventually(`${target} to work again`, () => logOf(cluster, target).slice(lines).some(sign));
      await blocked(cluster, old);
      expect(startsOfPostgres(cluster, old)).toBe(startsBefore);
    });
  }

  sentence('the DeadMaster stays down when its Consul agent is started again', async (cluster) => {
    await cluster.restart(`${old}/consul`);
    await eventually(`${old} to be registered by its agent again`, () => isRegistered(cluster, old));
    await blocked(cluster, old);
    expect(startsOfPostgres(cluster, old)).toBe(startsBefore);
  });

  sentence('the DeadMaster stays down when the whole node is killed and started again', async (cluster) => {
    const target = `${old}/postgres-runner`;
    const lines = logOf(cluster, target).length;
    await cluster.kill(old);
    await cluster.start(old);
    await eventually(`${target} to be told again`, () =>
      logOf(cluster, target)
        .slice(lines)
        .some((line) => line.instruction?.kind === 'blocked'),
    );
    await blocked(cluster, old);
    expect(startsOfPostgres(cluster, old)).toBe(startsBefore);
  });

  sentence('once its data directory is emptied, the DeadMaster joins as a Replica that streams', async (cluster) => {
    const { dataDir, postgresPort } = cluster.node(old);
    for (const entry of readdirSync(dataDir)) rmSync(join(dataDir, entry), { recursive: true });
    await streams(cluster, old);
    expect(startsOfPostgres(cluster, old)).toBe(startsBefore + 1);
    await rowsOn(cluster, old, 102);
    const rows = await query<{ port: number }>(
      cluster.describe(),
      postgresPort,
      'SELECT sender_port AS port FROM pg_stat_wal_receiver',
    );
    expect(rows).toEqual([{ port: cluster.node(promoted).postgresPort }]);
    // Those that are held count: with them all new ones would go to the Replica that has fewer.
    dropAllThrough(held);
    await bothTakeConnections(cluster);
  });

  sentence(
    'while the WAL receivers of both Replicas are killed, both leave the standby port; then both return',
    async (cluster) => {
      const described = cluster.describe();
      const replicas = othersThan(described, promoted);
      held = await holdThroughAll(described, HELD);
      const killer = new ReceiverKiller(replicas.map(({ dataDir }) => dataDir));
      try {
        for (const { lb, standby } of held) {
          await eventually(`the standby connections through ${lb.name} to be closed`, () => allClosed(standby));
          await eventually(`${lb.name} to refuse new ones`, () => refuses(described, lb.standbyPort));
        }
      } finally {
        killer.stop();
      }
      await bothTakeConnections(cluster);
      for (const { master } of held) expect(await allAnswer(master)).toBe(true);
      expect(cluster.master?.name).toBe(promoted);
    },
  );

  async function bothTakeConnections(cluster: RemoteCluster): Promise<void> {
    const described = cluster.describe();
    const replicas = othersThan(described, promoted).map(({ name }) => name);
    for (const port of portsOf(described, 'standbyPort')) {
      const found = new Set<string>();
      await eventually(`port ${port} to lead to both Replicas`, async () => {
        const node = await nodeBehind(described, port);
        if (node !== null) found.add(node);
        return replicas.every((name) => found.has(name));
      });
    }
  }
});

async function rowsOn(cluster: RemoteCluster, node: string, count: number): Promise<void> {
  const { postgresPort } = cluster.node(node);
  await eventually(`${count} rows on ${node}`, async () => {
    const [row] = await query<{ count: number }>(cluster.describe(), postgresPort, 'SELECT count(*)::int FROM story');
    return row?.count === count;
  });
}

async function streams(cluster: RemoteCluster, node: string): Promise<void> {
  await eventually(`${node} to stream as a Replica`, async () => {
    const status = await readNodeStatus(cluster.node(node).roleServerUrl);
    return status?.role === 'Replica' && status.streaming;
  });
}

/** Its runner says that it is blocked, its role-server that it is a DeadMaster, and nothing of PostgreSQL is there. */
async function blocked(cluster: RemoteCluster, node: string): Promise<void> {
  await eventually(`${node} to be a blocked DeadMaster`, async () => {
    const status = await readNodeStatus(cluster.node(node).roleServerUrl);
    return status?.role === 'DeadMaster' && status.runnerPhase === 'blocked';
  });
  expect(processesUnder(cluster.node(node).dataDir)).toEqual([]);
}

function startsOfPostgres(cluster: RemoteCluster, node: string): number {
  return logOf(cluster, `${node}/postgres-runner`).filter(({ event }) => event === 'postgres.started').length;
}

async function isRegistered(cluster: RemoteCluster, node: string): Promise<boolean> {
  const response = await fetch(`${cluster.node(node).consulHttp}/v1/agent/services`, {
    signal: AbortSignal.timeout(1_000),
  });
  return response.ok && (await response.text()).includes(`postgres-${node}`);
}
