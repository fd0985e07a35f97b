import { setServerState } from '@ha-postgres/haproxy-runtime';
import { startLab, type Lab } from './lab/lab';
import { LabConnection, reached } from './lab/node';
import { eventually } from './lab/processes';

let lab: Lab;
beforeEach(async () => {
  lab = await startLab();
  const [master, replica, other] = lab.nodes;
  await lab.cluster.join(master, 'Master');
  await lab.cluster.join(replica, 'Replica');
  await lab.cluster.join(other, 'Replica');
  await lab.cluster.acquire(master);
  lab.startSyncer();
  await writerIs(master.name);
  await standbyServes();
});
afterEach(() => lab.end());

const writerIs = (name: string | null): Promise<unknown> =>
  eventually(
    `the master port leads to ${String(name)}`,
    () => reached(lab.haproxy.masterPort),
    (node) => node === name,
  );
const standbyServes = (): Promise<unknown> =>
  eventually(
    'the standby port serves',
    () => reached(lab.haproxy.standbyPort),
    (node) => node !== null,
  );

async function restartHaproxy(): Promise<void> {
  await lab.haproxy.server.end('SIGKILL');
  lab.haproxy.server.start();
}

describe('lb-syncer when something fails', () => {
  it('restores the routes of a killed and restarted HAProxy, and no client is misrouted meanwhile', async () => {
    const reachedMeanwhile = new Set<string | null>();
    const watching = new AbortController();
    const clients = (async () => {
      while (!watching.signal.aborted) {
        reachedMeanwhile.add(await reached(lab.haproxy.masterPort));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    await restartHaproxy();
    await eventually(
      'routes are restored',
      () => reached(lab.haproxy.masterPort),
      (node) => node === 'pg-0',
    );
    await standbyServes();
    watching.abort();
    await clients;
    expect([...reachedMeanwhile].filter((node) => node !== null)).toEqual(['pg-0']);
  });

  it('leads a restarted HAProxy to the new Master, if the key changed hands while it was away', async () => {
    await lab.haproxy.server.end('SIGKILL');
    await lab.cluster.setRole(lab.nodes[1], 'Master');
    await lab.cluster.acquire(lab.nodes[1]);
    lab.haproxy.server.start();
    await writerIs('pg-1');
  });

  it('changes nothing while Consul is away, and follows it when it is back', async () => {
    const writer = await LabConnection.open(lab.haproxy.masterPort);
    await lab.consul.server.end('SIGKILL');
    await eventually(
      'the loss of Consul is told',
      () => lab.syncer().health().consul,
      ({ ok }) => !ok,
    );
    expect(writer.isClosed).toBe(false);
    expect(await reached(lab.haproxy.masterPort)).toBe('pg-0');
    expect(await reached(lab.haproxy.standbyPort)).not.toBeNull();
    lab.consul.server.start();
    await lab.consul.waitForLeader();
    await eventually(
      'Consul answers',
      () => lab.syncer().health().consul,
      ({ ok }) => ok,
    );
    await lab.cluster.setRole(lab.nodes[1], 'Master');
    await lab.cluster.acquire(lab.nodes[1]);
    await writerIs('pg-1');
    await eventually('the old connection is closed', () => writer.isClosed);
  });

  it('restores a restarted HAProxy without Consul only as far as the nodes themselves say that they are ready', async () => {
    await lab.consul.server.end('SIGKILL');
    await eventually(
      'the last answer is old',
      () => lab.syncer().health().consul,
      ({ ok }) => !ok,
    );
    // Meanwhile another node became the Master: this load balancer is cut off and cannot know.
    await eventually(
      'and older than any lease',
      () => lab.syncer().health().consul.silentForMs,
      (ms) => ms > 3000,
    );
    lab.nodes[0].role = 'DeadMaster';
    await restartHaproxy();
    await standbyServes();
    expect(await reached(lab.haproxy.masterPort)).toBeNull();
    lab.nodes[0].role = 'Master';
    await writerIs('pg-0');
  });

  it("keeps clients away from a fenced Master by HAProxy's own checks when it is dead itself", async () => {
    const writer = await LabConnection.open(lab.haproxy.masterPort);
    await lab.stopSyncer();
    lab.nodes[0].role = 'DeadMaster';
    await eventually('the connection is closed', () => writer.isClosed);
    await writerIs(null);
  });

  it('undoes what somebody else did to its servers', async () => {
    const server = { backend: 'master', server: 'master0' };
    await lab.haproxy.runtime.execute(setServerState(server, 'maint'));
    await writerIs('pg-0');
    await lab.haproxy.runtime.execute(setServerState(server, 'drain'));
    await writerIs('pg-0');
  });

  it('tells when HAProxy hangs, and goes on when it answers again', async () => {
    lab.haproxy.server.signal('SIGSTOP');
    await eventually(
      'the loss of HAProxy is told',
      () => lab.syncer().health().haproxy,
      ({ ok }) => !ok,
    );
    await lab.cluster.setRole(lab.nodes[1], 'Master');
    await lab.cluster.acquire(lab.nodes[1]);
    lab.haproxy.server.signal('SIGCONT');
    await writerIs('pg-1');
    expect(lab.syncer().health().haproxy.ok).toBe(true);
  });
});
