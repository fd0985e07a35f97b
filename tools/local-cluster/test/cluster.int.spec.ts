import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { consulLeader } from '../src/consul-leader';
import { LocalCluster } from '../src/local-cluster';
import { processesUnder, processState } from '../src/processes';
import { RemoteCluster } from '../src/remote-cluster';
import { waitFor } from '../src/waiting';
import { standIns, standInCluster } from './support';

const soon = { timeoutMs: 15_000, everyMs: 20 };

describe('a cluster of stand-ins with real Consul and HAProxy', () => {
  let owned: Awaited<ReturnType<typeof standInCluster>>;
  let remote: RemoteCluster;

  beforeAll(async () => {
    owned = await standInCluster({ nodes: 2, loadBalancers: 1 });
    remote = new RemoteCluster(owned.workdir);
    await waitFor(
      () => remote.master !== null && remote.describe().nodes.every(({ processes }) => processes.postgres !== null),
      { what: 'a Master, and a postmaster on each node', ...soon },
    );
  });
  afterAll(async () => {
    await owned.end();
  });

  const node = (name: string) => remote.node(name);
  const pid = (name: string, process: string) => node(name).processes[process] ?? null;

  it('is described by cluster.json with the processes that really run', () => {
    const described = remote.describe();
    const pids = [
      ...described.nodes.flatMap(({ processes }) => Object.values(processes)),
      ...described.loadBalancers.flatMap(({ processes }) => Object.values(processes)),
      ...described.consul.servers.map((server) => server.pid),
    ];
    expect(Object.keys(described.nodes[0]?.processes ?? {}).sort()).toEqual(
      ['consul', 'db-controller', 'postgres', 'postgres-runner', 'role-server'].sort(),
    );
    expect(pids).toHaveLength(2 * 5 + 3 + 1);
    expect(pids.map((one) => processState(one ?? 0))).not.toContain(null);
  });

  it('has a Consul leader that every agent knows', async () => {
    const described = remote.describe();
    const agents = [...described.nodes, ...described.loadBalancers].map((member) => member.consulHttp);
    const leaders = await Promise.all([described.consul.http, ...agents].map((http) => consulLeader(http)));
    expect(new Set(leaders).size).toBe(1);
    expect(leaders[0]).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('gives settings to the services as environment variables', () => {
    const log = readFileSync(join(owned.workdir, 'logs', 'node0-db-controller.log'), 'utf8');
    expect(JSON.parse(log.split('\n')[0] ?? '')).toMatchObject({ node: 'node0', leaseDuration: '5s' });
  });

  it('starts a killed process again', async () => {
    const before = pid('node0', 'db-controller');
    await remote.kill('node0/db-controller');
    const after = await waitFor(
      () => (pid('node0', 'db-controller') === before ? null : pid('node0', 'db-controller')),
      {
        what: 'a new db-controller',
        ...soon,
      },
    );
    expect(processState(after)).not.toBeNull();
  });

  it('keeps a process down that was killed so, until it is started', async () => {
    const before = pid('node0', 'role-server');
    await remote.kill('node0/role-server', true);
    await waitFor(() => pid('node0', 'role-server') === null && node('node0').role === null, {
      what: 'no role',
      ...soon,
    });
    expect(processState(before ?? 0)).toBeNull();
    await remote.start('node0/role-server');
    await waitFor(() => node('node0').role === 'Master', { what: 'the role', ...soon });
  });

  it('kills a postmaster and leaves its backends alone, as SIGKILL does', async () => {
    const dataDir = node('node0').dataDir;
    const before = processesUnder(dataDir);
    await remote.kill('node0/postgres');
    await waitFor(() => pid('node0', 'postgres') === null, { what: 'no postmaster', ...soon });
    expect(processesUnder(dataDir)).toHaveLength(before.length - 1);
  });

  it('kills every process of a node, which then stays down until it is started', async () => {
    await remote.kill('node1');
    expect(processesUnder(join(owned.workdir, 'node1'))).toEqual([]);
    await waitFor(() => Object.values(node('node1').processes).every((one) => one === null), {
      what: 'no pid of node1',
      ...soon,
    });
    await remote.start('node1');
    await waitFor(() => node('node1').role === 'Replica' && pid('node1', 'postgres') !== null, {
      what: 'node1',
      ...soon,
    });
  });

  it('freezes every process of a node, and lets them go on', async () => {
    const all = processesUnder(join(owned.workdir, 'node1'));
    await remote.freeze('node1');
    expect(new Set(all.map(processState))).toEqual(new Set(['T']));
    await remote.thaw('node1');
    expect(all.map(processState)).not.toContain('T');
  });

  it('freezes PostgreSQL alone, backends included', async () => {
    const postgres = processesUnder(node('node1').dataDir);
    await remote.freeze('node1/postgres');
    expect(postgres.length).toBeGreaterThan(1);
    expect(new Set(postgres.map(processState))).toEqual(new Set(['T']));
    expect(processState(pid('node1', 'postgres-runner') ?? 0)).not.toBe('T');
    await remote.thaw('node1/postgres');
  });

  it('follows a change of role', async () => {
    writeFileSync(join(owned.workdir, 'node1', 'role'), 'DeadMaster');
    await waitFor(() => node('node1').role === 'DeadMaster', { what: 'DeadMaster', ...soon });
  });

  it.each([
    ['node7', 'no member "node7"'],
    ['node0/mysql', 'node0 has no process "mysql"'],
    ['node0/', 'give NODE or NODE/PROCESS'],
  ])('refuses to kill %s, with the reason', async (target, reason) => {
    await expect(remote.kill(target)).rejects.toThrow(reason);
  });

  it('refuses a second owner of the same work directory', async () => {
    const options = { nodes: 2, loadBalancers: 1, consulServers: 1, workdir: owned.workdir, settings: {} };
    await expect(LocalCluster.open(options, standIns())).rejects.toThrow('runs in');
  });
});

it('leaves nothing behind when it is stopped, and can be brought up again with the same ports', async () => {
  const owned = await standInCluster({ nodes: 1, loadBalancers: 1 });
  try {
    const before = owned.cluster.describe();
    await owned.stop();
    expect(processesUnder(owned.workdir)).toEqual([]);
    const file = JSON.parse(readFileSync(join(owned.workdir, 'cluster.json'), 'utf8')) as typeof before;
    expect(file.nodes[0]?.postgresPort).toBe(before.nodes[0]?.postgresPort);
    expect(Object.values(file.nodes[0]?.processes ?? {}).every((pid) => pid === null)).toBe(true);
  } finally {
    await owned.end();
  }
});
