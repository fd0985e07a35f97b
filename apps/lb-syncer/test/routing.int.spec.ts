import { parseLbStatus } from '@ha-postgres/cluster-state';
import { keys } from './lab/cluster';
import { startLab, type Lab } from './lab/lab';
import { LabConnection, reached } from './lab/node';
import { eventually } from './lab/processes';

let lab: Lab;
beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.end());

const writerIs = (name: string | null): Promise<unknown> =>
  eventually(
    `the master port leads to ${String(name)}`,
    () => reached(lab.haproxy.masterPort),
    (node) => node === name,
  );

const servingStandbys = async (): Promise<string> => {
  const states = await lab.haproxy.states();
  return states
    .filter((state) => state.backend === 'standby' && !state.adminState.isMaint)
    .map((state) => state.server)
    .join(' ');
};
const standbysAre = (slots: string): Promise<unknown> =>
  eventually(`standbys are ${slots}`, servingStandbys, (serving) => serving === slots);

const masterServer = async () => {
  const state = (await lab.haproxy.states()).find(({ server }) => server === 'master0');
  return `${state?.adminState.isMaint === true ? 'maint' : 'ready'} ${state?.port ?? 0}`;
};

async function settled(): Promise<void> {
  const [master, replica, other] = lab.nodes;
  await lab.cluster.join(master, 'Master');
  await lab.cluster.join(replica, 'Replica');
  await lab.cluster.join(other, 'Replica');
  await lab.cluster.acquire(master);
  lab.startSyncer();
  await writerIs(master.name);
  await standbysAre('standby1 standby2');
}

const open = (port: number, count: number): Promise<LabConnection[]> =>
  Promise.all(Array.from({ length: count }, () => LabConnection.open(port)));

const report = async () => {
  const { entry } = await lab.consul.client.kvGet(keys.lbStatus('lb-0'));
  const parsed = entry === null ? null : parseLbStatus(entry.value);
  if (parsed !== null && !parsed.ok) throw new Error(parsed.why);
  return { entry, status: parsed?.value ?? null };
};

describe('lb-syncer with real Consul and HAProxy', () => {
  it('leads to the Master and to the Replicas, and reports it', async () => {
    await settled();
    const standbys = new Set<string | null>();
    await eventually(
      'both Replicas are reached',
      async () => {
        standbys.add(await reached(lab.haproxy.standbyPort));
        return standbys.size;
      },
      (size) => size === 2,
    );
    expect([...standbys].sort()).toEqual(['pg-1', 'pg-2']);
    expect(await reached(lab.haproxy.replicationPort)).toBe('pg-0');
    const { entry, status } = await eventually('the report', report, ({ status: it }) => it?.standbys.length === 2);
    expect(status).toMatchObject({ name: 'lb-0', master: 'pg-0', holding: false, standbys: ['pg-1', 'pg-2'] });
    expect(entry?.session).not.toBeNull();
  });

  it('switches over: old connections are closed, new ones refused until the new Master runs, the other standby stays', async () => {
    await settled();
    const [old, next, other] = lab.nodes;
    const writers = await open(lab.haproxy.masterPort, 10);
    const readers = await open(lab.haproxy.standbyPort, 10);
    const onNext = readers.filter(({ node }) => node === next.name);
    const onOther = readers.filter(({ node }) => node === other.name);
    expect([onNext.length, onOther.length]).toEqual([5, 5]);
    await lab.cluster.write(old, 'draining');
    await eventually('all writers are closed', () => writers.every(({ isClosed }) => isClosed));
    expect(await reached(lab.haproxy.masterPort)).toBeNull();
    expect(await reached(lab.haproxy.replicationPort)).toBe(old.name);
    await lab.cluster.acquire(next, 'promoting');
    await standbysAre('standby2');
    await eventually('readers of the promoted node are closed', () => onNext.every(({ isClosed }) => isClosed));
    expect(await reached(lab.haproxy.masterPort)).toBeNull();
    await lab.cluster.setRole(next, 'Master');
    await lab.cluster.write(next, 'running');
    await writerIs(next.name);
    expect(onOther.some(({ isClosed }) => isClosed)).toBe(false);
    await eventually('the report follows', report, ({ status }) => status?.master === next.name);
    [...writers, ...readers].forEach((connection) => connection.close());
  });

  it('lets Replicas stream from the last Master until another runs, though that one has its lock already', async () => {
    await settled();
    const [old, next] = lab.nodes;
    const streams = await open(lab.haproxy.replicationPort, 2);
    expect(streams.map(({ node }) => node)).toEqual([old.name, old.name]);
    await lab.consul.client.sessionDestroy(lab.cluster.session ?? '');
    await writerIs(null);
    await lab.cluster.acquire(next, 'waiting');
    await lab.cluster.write(next, 'promoting');
    await standbysAre('standby2');
    expect(streams.some(({ isClosed }) => isClosed)).toBe(false);
    await lab.cluster.write(next, 'running');
    await eventually('streams of the last Master are closed', () => streams.every(({ isClosed }) => isClosed));
    await eventually(
      'Replicas are led to the new one',
      () => reached(lab.haproxy.replicationPort),
      (node) => node === next.name,
    );
  });

  it('leads nowhere when the key is released, gone, or its session has ended', async () => {
    await settled();
    const [master] = lab.nodes;
    await lab.consul.client.sessionDestroy(lab.cluster.session ?? '');
    await writerIs(null);
    await lab.cluster.acquire(master);
    await writerIs(master.name);
    await lab.consul.client.kvDelete(keys.master);
    await writerIs(null);
  });

  it('takes Replicas whose check is critical out, closes their connections, and takes them back', async () => {
    await settled();
    const [, first, second] = lab.nodes;
    const readers = await open(lab.haproxy.standbyPort, 4);
    await lab.cluster.replication(first, 'critical');
    await lab.cluster.replication(second, 'critical');
    await standbysAre('');
    await eventually('all readers are closed', () => readers.every(({ isClosed }) => isClosed));
    expect(await reached(lab.haproxy.standbyPort)).toBeNull();
    await lab.cluster.replication(first, 'passing');
    await lab.cluster.replication(second, 'passing');
    await standbysAre('standby1 standby2');
    expect(await reached(lab.haproxy.standbyPort)).not.toBeNull();
  });

  it('leads to a DeadMaster nowhere, though its checks pass', async () => {
    await settled();
    await lab.cluster.setRole(lab.nodes[2], 'DeadMaster');
    await standbysAre('standby1');
    await lab.cluster.setRole(lab.nodes[2], 'Replica');
    await standbysAre('standby1 standby2');
  });

  it('keeps the routes when keys hold garbage, and goes on with the next good value', async () => {
    await settled();
    const [master, replica, other] = lab.nodes;
    const writer = await LabConnection.open(lab.haproxy.masterPort);
    await lab.cluster.writeText('{"node": 7');
    await lab.consul.client.kvPut(keys.role(replica.name), '\u0000garbage');
    await lab.consul.client.kvPut(keys.role(other.name), 'Boss');
    await eventually(
      'all garbage has been read',
      () => [...lab.unreadable].sort().join(),
      (what) => what === 'master,role of pg-1,role of pg-2',
    );
    // What is seen to happen after this happens after whatever the garbage could have caused.
    await lab.cluster.replication(other, 'critical');
    await standbysAre('standby1');
    expect(await masterServer()).toBe(`ready ${master.port}`);
    expect(writer.isClosed).toBe(false);
    await lab.cluster.write(master, 'draining');
    await writerIs(null);
    writer.close();
  });

  it('takes its report back when it stops, leaves the routes, and takes over the report of a killed predecessor', async () => {
    await settled();
    await eventually('the report', report, ({ status }) => status?.master === 'pg-0');
    await lab.stopSyncer();
    expect((await report()).entry).toBeNull();
    expect(await reached(lab.haproxy.masterPort)).toBe('pg-0');
    const left = await lab.consul.client.sessionCreate({
      name: 'killed',
      ttlMs: 60_000,
      lockDelayMs: 0,
      behavior: 'delete',
    });
    await lab.consul.client.transaction([{ verb: 'lock', key: keys.lbStatus('lb-0'), value: 'old', session: left }]);
    lab.startSyncer();
    await eventually(
      'the report is its own',
      report,
      ({ entry, status }) => status !== null && entry?.session !== left,
    );
  });
});
