import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalAll } from '@ha-postgres/local-cluster';
import type { KubernetesObject } from '@ha-postgres/pods';
import { processesIn } from '@ha-postgres/service-kit';
import { inTurn, type Visitor } from '../visitor';
import { eventually } from '../wait-for';
import {
  areClosed,
  dropHeld,
  holdOnChart,
  isRefused,
  stillAnswer,
  visitorOn,
  type HeldOnChart,
} from './chart-connections';
import { PodReceiverKiller } from './chart-receivers';
import { chartStory } from './chart-story';
import { PORTS, type InstalledChart } from './installed-chart';

const HELD = 10;
const values = { db: { controller: { options: { rejoin: 'never' } } } };

/** The same story as e2e/src/origin-story.e2e.spec.ts, sentence by sentence, as the users of the chart see it. */
chartStory('The origin’s story, in pods', { suite: 'trixie', values, postRender: withFailpoints }, (sentence) => {
  let old = '';
  let promoted = '';
  let other = '';
  let toMaster: HeldOnChart[] = [];
  let toStandbys: HeldOnChart[] = [];
  let visitor: Visitor | null = null;
  let bystander: Visitor | null = null;

  afterAll(async () => {
    dropHeld([...toMaster, ...toStandbys]);
    await Promise.all([visitor?.stop(), bystander?.stop()]);
  });

  sentence('a table made through the service is there on both Replicas, with its rows', async (chart) => {
    old = await eventually('a Master', () => chart.master());
    await chart.query('CREATE TABLE story (id int PRIMARY KEY)');
    await chart.query('INSERT INTO story SELECT generate_series(1, 100)');
    for (const replica of othersThan(chart, old)) await rowsOn(chart, replica, 100);
  });

  sentence('connections to 5432 end at the Master, those to 5433 at both Replicas', async (chart) => {
    toMaster = await holdOnChart(chart, PORTS.master, HELD);
    toStandbys = await holdOnChart(chart, PORTS.standby, HELD);
    expect(toMaster.map(({ pod }) => pod)).toEqual(Array(HELD).fill(old));
    expect([...new Set(toStandbys.map(({ pod }) => pod))].sort()).toEqual(othersThan(chart, old));
  });

  sentence('when the Master’s PostgreSQL is frozen, all connections to it are closed', async (chart) => {
    for (const name of othersThan(chart, old)) writeFileSync(failpointOf(chart, name), 'wait\n');
    visitor = visitorOn(chart, PORTS.master);
    await eventually('the port to be visited', () => (visitor?.arrivals.length ?? 0) > 0);
    expect(signalAll(processesIn(dataOf(chart, old)), 'SIGSTOP')).toBeGreaterThan(3);
    await eventually(`the connections to ${old} to be closed`, () => areClosed(toMaster));
  });

  sentence('new connections to 5432 are refused while there is no Master', async (chart) => {
    promoted = await eventually('a Replica to be about to promote', async () => {
      for (const name of othersThan(chart, old)) if (await isAtFailpoint(chart, name)) return name;
      return null;
    });
    other = othersThan(chart, old, promoted)[0] ?? '';
    expect(await isRefused(chart, PORTS.master)).toBe(true);
  });

  sentence('standby connections to the node that is promoted are closed, and no new ones go there', async (chart) => {
    const there = toStandbys.filter(({ pod }) => pod === promoted);
    expect(there.length).toBeGreaterThan(0);
    await eventually(`the standby connections to ${promoted} to be closed`, () => areClosed(there));
    bystander = visitorOn(chart, PORTS.standby);
    await eventually('the port to be visited', () => (bystander?.visits.length ?? 0) > 0);
  });

  sentence('new connections to 5432 go to the new Master once it is there, and never went elsewhere', async (chart) => {
    for (const name of othersThan(chart, old)) rmSync(failpointOf(chart, name), { force: true });
    await eventually(`5432 to lead to ${promoted}`, async () => (await chart.podBehind()) === promoted);
    await chart.query('INSERT INTO story VALUES (101)');
    await visitor?.stop();
    expect(inTurn(visitor?.visits ?? [])).toEqual([old, null, promoted]);
  });

  sentence('the remaining Replica streams from the new Master and never left 5433', async (chart) => {
    await streamsFrom(chart, other, promoted);
    await rowsOn(chart, other, 101);
    await bystander?.stop();
    expect(inTurn(bystander?.visits ?? [])).toEqual([other]);
    const stayed = toStandbys.filter(({ pod }) => pod === other);
    expect(stayed.length).toBeGreaterThan(0);
    expect(await stillAnswer(stayed)).toBe(true);
  });

  sentence('the old Master is a DeadMaster, whose PostgreSQL does not run', (chart) => blocked(chart, old));

  for (const container of ['postgres', 'controller', 'role-server', 'consul']) {
    sentence(`the DeadMaster stays down when its container ${container} is started again`, async (chart) => {
      const before = await startsOfPostgres(chart, old);
      chart.cluster.pod(old).container(container).crash();
      await eventually(`${container} to be started again`, () => {
        const now = chart.cluster.pod(old).container(container);
        return now.restarts === 1 && now.isRunning;
      });
      await blocked(chart, old);
      expect(await startsOfPostgres(chart, old)).toBe(before);
    });
  }

  sentence(
    'when its pod is deleted, wait-pgdata-empty keeps the next one, and says why and what to do',
    async (chart) => {
      const deleted = chart.cluster.pod(old);
      await chart.cluster.delete(old);
      const next = await eventually('the next pod', () => {
        const pod = chart.cluster.pod(old);
        return pod !== deleted && pod.has('wait-pgdata-empty') ? pod : null;
      });
      const log = await eventually('the reason', async () => {
        const text = await chart.cluster.logOf(next, 'wait-pgdata-empty');
        return text.includes('touch /proceed') ? text : null;
      });
      expect(log).toContain(`${old} is a DeadMaster: another node became Master after it`);
      expect(log).toContain(`kubectl exec -n db ${old} -c wait-pgdata-empty`);
      expect(next.container('postgres').isRunning).toBe(false);
      expect(processesIn(dataOf(chart, old))).toEqual([]);
    },
  );

  sentence('once its data is removed as it says there, it joins as a Replica that streams', async (chart) => {
    const empty = 'rm -rf /var/lib/ha-postgres/data && touch /proceed';
    const { status } = await chart.cluster.exec(old, 'wait-pgdata-empty', 'sh', '-c', empty);
    expect(status).toBe(0);
    await streamsFrom(chart, old, promoted);
    await rowsOn(chart, old, 101);
    await chart.cluster.settled();
    // Those that are held count: with them all new ones would go to the Replica that has fewer.
    dropHeld([...toMaster, ...toStandbys]);
    await bothTakeConnections(chart);
  });

  sentence('while the WAL receivers of both Replicas are killed, both leave 5433; then both return', async (chart) => {
    toMaster = await holdOnChart(chart, PORTS.master, HELD);
    toStandbys = await holdOnChart(chart, PORTS.standby, HELD);
    const killer = new PodReceiverKiller(othersThan(chart, promoted).map((name) => dataOf(chart, name)));
    try {
      await eventually('the standby connections to be closed', () => areClosed(toStandbys));
      await eventually('new ones to be refused', () => isRefused(chart, PORTS.standby));
    } finally {
      killer.stop();
    }
    await bothTakeConnections(chart);
    expect(await stillAnswer(toMaster)).toBe(true);
    expect(await chart.master()).toBe(promoted);
  });

  async function bothTakeConnections(chart: InstalledChart): Promise<void> {
    const found = new Set<string>();
    await eventually('5433 to lead to both Replicas', async () => {
      const pod = await chart.podBehind(PORTS.standby);
      if (pod !== null) found.add(pod);
      return othersThan(chart, promoted).every((name) => found.has(name));
    });
  }
});

/** The chart does not offer them: they are for tests. */
function withFailpoints(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return objects.map((one) => {
    if (one.kind !== 'StatefulSet' || one.metadata.name !== 'ha-postgres') return one;
    const changed = structuredClone(one) as unknown as DatabaseSet;
    for (const { name, env } of changed.spec.template.spec.initContainers)
      if (name === 'controller') env.push({ name: 'HAPG_FAILPOINTS', value: 'true' });
    return changed;
  });
}

interface DatabaseSet extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly initContainers: readonly { name: string; env: { name: string; value: string }[] }[] };
    };
  };
}

const othersThan = (chart: InstalledChart, ...names: readonly string[]): string[] =>
  chart.nodes.map(({ name }) => name).filter((name) => !names.includes(name));

const volumeOf = (chart: InstalledChart, pod: string): string => chart.cluster.directoryOf(`data-${pod}`);
const dataOf = (chart: InstalledChart, pod: string): string => join(volumeOf(chart, pod), 'data');

/** Where a candidate waits before it promotes, so that what holds in between can be seen. */
const failpointOf = (chart: InstalledChart, pod: string): string =>
  join(volumeOf(chart, pod), 'controller', 'failpoint-before-promote');

async function isAtFailpoint({ cluster }: InstalledChart, pod: string): Promise<boolean> {
  return (await cluster.logOf(cluster.pod(pod), 'controller')).includes('failpoint before-promote: wait');
}

async function rowsOn(chart: InstalledChart, pod: string, count: number): Promise<void> {
  await eventually(`${count} rows on ${pod}`, async () => {
    const ip = chart.cluster.pod(pod).ip ?? '';
    const [row] = await chart.query<{ count: number }>('SELECT count(*)::int FROM story', PORTS.master, ip);
    return row?.count === count;
  });
}

/** It says so, and its PostgreSQL names the Master's address. */
async function streamsFrom(chart: InstalledChart, pod: string, master: string): Promise<void> {
  await eventually(`${pod} to stream from ${master}`, async () => {
    const status = await chart.status(pod);
    if (status?.role !== 'Replica' || !status.streaming) return false;
    const sql = 'SELECT sender_host AS host FROM pg_stat_wal_receiver';
    const [row] = await chart.query<{ host: string }>(sql, PORTS.master, chart.cluster.pod(pod).ip ?? '');
    return row?.host === chart.cluster.pod(master).ip;
  });
}

/** Its runner says that it is blocked, its role-server that it is a DeadMaster, and nothing of PostgreSQL is there. */
async function blocked(chart: InstalledChart, pod: string): Promise<void> {
  await eventually(`${pod} to be a blocked DeadMaster`, async () => {
    const status = await chart.status(pod);
    return status?.role === 'DeadMaster' && status.runnerPhase === 'blocked';
  });
  expect(processesIn(dataOf(chart, pod))).toEqual([]);
}

async function startsOfPostgres({ cluster }: InstalledChart, pod: string): Promise<number> {
  const log = await cluster.logOf(cluster.pod(pod), 'postgres');
  return log.split('\n').filter((line) => line.includes('"event":"postgres.started"')).length;
}
