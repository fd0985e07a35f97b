import type { ClusterFile, RemoteCluster } from '@ha-postgres/local-cluster';
import { readNodeStatus } from '@ha-postgres/local-cluster';
import { query } from './client';
import { historyKey, syncKey, writeKey } from './keys';
import { loadOn, nodeOf } from './load';
import { logOf } from './log-of';
import { eventually, newMaster, settled } from './wait-for';
import { withCluster } from './with-cluster';

const QUORUM = { replication: 'quorum' };
/** Longer than a story: a commit that waits for a Replica waits for as long as it takes. */
const PATIENT_MS = 100_000;

interface Cast {
  readonly described: ClusterFile;
  readonly master: string;
  readonly replicas: readonly string[];
  /** Of the Master's PostgreSQL itself. */
  readonly port: number;
}

function castOf(cluster: RemoteCluster): Cast {
  const described = cluster.describe();
  const master = cluster.master?.name ?? '';
  const replicas = described.nodes.map(({ name }) => name).filter((name) => name !== master);
  return { described, master, replicas, port: cluster.node(master).postgresPort };
}

function statusOf(cluster: RemoteCluster, node: string) {
  return readNodeStatus(cluster.node(node).roleServerUrl);
}

/** The rule names these, and all that was acknowledged before is with enough of them. */
function ruleSettles(cluster: RemoteCluster, names: readonly string[]): Promise<unknown> {
  return eventually(`the rule to name ${names.join()} alone`, async () => {
    const { names: named, previous } = await syncKey(cluster.describe());
    return previous === null && named.join() === [...names].sort().join();
  });
}

/** Begins a commit that may take its time. */
function insert(
  described: ClusterFile,
  port: number,
  id: number,
): { readonly isDone: () => boolean; readonly end: Promise<unknown> } {
  let isDone = false;
  const end = query(described, port, `INSERT INTO kept VALUES (${id})`, PATIENT_MS).then(() => (isDone = true));
  end.catch(() => undefined);
  return { isDone: () => isDone, end };
}

function idsOn(described: ClusterFile, port: number): Promise<number[]> {
  return query<{ id: number }>(described, port, 'SELECT id FROM kept ORDER BY id').then((rows) =>
    rows.map(({ id }) => id),
  );
}

const waitsForReplicas = (described: ClusterFile, port: number) =>
  eventually('a commit that waits for a Replica', async () => {
    const sql = "SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    const [row] = await query<{ waiting: number }>(described, port, sql);
    return row?.waiting === 1;
  });

it('quorum: when the Master’s node is killed under load, nothing acknowledged is lost, and the next Master has its rule in place before it is promoted', () =>
  withCluster({ loadBalancers: 1, settings: QUORUM }, async (cluster) => {
    const { described, master, replicas } = castOf(cluster);
    await ruleSettles(cluster, replicas);
    const clients = [0, 0, 0, 0].map((everyMs) => ({ everyMs, isFresh: false }));
    const load = await loadOn(cluster, { clients });
    const next = await (async () => {
      await load.moreWrites(50);
      await cluster.kill(master);
      const found = await newMaster(cluster, master);
      await load.moreWrites(50);
      return found;
    })().finally(() => load.stop());
    const verdict = await load.finish({ allowLost: 0 });
    expect(verdict).toMatchObject({ violations: [], lost: [], duplicates: [] });
    expect(new Set(load.history.acknowledged.map((write) => nodeOf(described, write)))).toEqual(
      new Set([master, next.name]),
    );

    const other = replicas.filter((name) => name !== next.name);
    await ruleSettles(cluster, other);
    const told = logOf(cluster, `${next.name}/db-controller`).map(({ event }) => event);
    const written = told.indexOf('sync.changed');
    expect(written).toBeGreaterThan(-1);
    expect(written).toBeLessThan(told.indexOf('postgres.promote'));
    const shown = logOf(cluster, `${next.name}/postgres-runner`).map(({ event }) => event);
    expect(shown.lastIndexOf('settings.changed')).toBeGreaterThan(-1);
    expect(await statusOf(cluster, next.name)).toMatchObject({
      sync: { mode: 'quorum', k: 1, names: other, streaming: other, waiting: false, settled: true, barred: false },
    });
  }));

it('strict: without Replicas commits wait, and one that waited through a restart of the Master is seen only when a Replica has it', () =>
  withCluster({ loadBalancers: 1, settings: QUORUM }, async (cluster) => {
    const { described, master, replicas, port } = castOf(cluster);
    await ruleSettles(cluster, replicas);
    await query(described, port, 'CREATE TABLE kept (id int)');
    await Promise.all(replicas.map((name) => cluster.kill(name)));
    const first = insert(described, port, 1);
    await waitsForReplicas(described, port);
    await eventually('the Master to say so', async () => (await statusOf(cluster, master))?.sync?.waiting);
    expect(logOf(cluster, `${master}/db-controller`).map(({ event }) => event)).toContain('sync.writes-wait');
    expect(await idsOn(described, port)).toEqual([]);

    const { term } = (await statusOf(cluster, master)) ?? { term: 0 };
    await cluster.kill(`${master}/postgres`);
    await expect(first.end).rejects.toThrow();
    await eventually('the Master to run again, barred', async () => {
      const status = await statusOf(cluster, master);
      return status?.role === 'Master' && status.term > term && status.inRecovery === false && status.sync?.barred;
    });
    await expect(idsOn(described, port)).rejects.toThrow(/rejects connection/);

    await Promise.all(replicas.map((name) => cluster.start(name)));
    await eventually(
      'the Master to let clients in',
      async () => (await statusOf(cluster, master))?.sync?.barred === false,
    );
    // Not acknowledged, but on its disk when it died: it is kept, as every Replica has it now.
    expect(await eventually('the row', () => idsOn(described, port).catch(() => null))).toEqual([1]);
    await insert(described, port, 2).end;
    expect(await idsOn(described, port)).toEqual([1, 2]);
    await settled(cluster);
    await ruleSettles(cluster, replicas);
  }));

it('available: without Replicas commits go on after a while, with an event; with them they are confirmed again', () =>
  withCluster({ loadBalancers: 1, settings: { ...QUORUM, dataDurability: 'available' } }, async (cluster) => {
    const { described, master, replicas, port } = castOf(cluster);
    await ruleSettles(cluster, replicas);
    await query(described, port, 'CREATE TABLE kept (id int)');
    await Promise.all(replicas.map((name) => cluster.kill(name)));
    await insert(described, port, 1).end;
    expect(await syncKey(described)).toMatchObject({ k: 0, names: [] });
    const events = () => logOf(cluster, `${master}/db-controller`).map(({ event }) => event);
    expect(events()).toContain('sync.nobody-confirms');

    await Promise.all(replicas.map((name) => cluster.start(name)));
    await settled(cluster);
    await ruleSettles(cluster, replicas);
    expect(events().lastIndexOf('sync.confirmed')).toBeGreaterThan(events().lastIndexOf('sync.nobody-confirms'));
    expect(await idsOn(described, port)).toEqual([1]);
  }));

it('sync: when the Master dies together with the only synchronous Replica nobody is promoted, until an administrator says so', () =>
  withCluster({ loadBalancers: 1, settings: { replication: 'sync' } }, async (cluster) => {
    const { described, master, replicas, port } = castOf(cluster);
    const [synchronous] = await eventually('one synchronous Replica', async () => {
      const { names, previous } = await syncKey(described);
      return previous === null && names.length === 1 ? names : null;
    });
    const left = replicas.find((name) => name !== synchronous) ?? '';
    await query(described, port, 'CREATE TABLE kept (id int)');
    const { term } = (await statusOf(cluster, master)) ?? { term: 0 };
    await Promise.all([master, synchronous ?? ''].map((name) => cluster.kill(name)));

    const gaveUp = () =>
      logOf(cluster, `${left}/db-controller`).filter(({ rule }) => rule === 'holderGivesUpWithoutEnoughVotes').length;
    await eventually(`${left} to give up twice`, () => gaveUp() >= 2);
    expect(logOf(cluster, `${left}/db-controller`).map(({ event }) => event)).not.toContain('postgres.promote');
    const { takeover } = (await statusOf(cluster, left)) ?? {};
    expect(takeover).toMatchObject({ bytesBehind: expect.any(Number) as number });

    const override = { id: 'o-1', node: left, afterTerm: term, by: 'e2e', why: 'both disks are lost' };
    await writeKey(described, 'override', override);
    await eventually(`${left} to be Master`, () => cluster.master?.name === left);
    const last = await eventually('its entry in the history', async () => {
      const { promotions } = await historyKey(described);
      return promotions.find(({ node }) => node === left);
    });
    expect(last.why).toContain('override o-1 by e2e: both disks are lost');
  }));
