import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, TestCluster, until, type TestNode } from './harness';

let cluster: TestCluster;
let master: TestNode;

beforeAll(async () => {
  bundle();
  cluster = new TestCluster();
  master = await cluster.master('m');
});
afterAll(() => cluster.end());

/** A node that was cloned from the Master and streams from it. */
async function replica(name: string): Promise<TestNode> {
  const node = await cluster.node(name);
  node.roleServer.say({ kind: 'follow', upstream: master.upstream });
  node.start();
  await node.reported('running', ({ phase }) => phase === 'running', 60_000);
  await until('it streams', () => isStreaming(name));
  return node;
}

function isStreaming(name: string): boolean {
  return master.sql(`SELECT state FROM pg_stat_replication WHERE application_name = '${name}'`) === 'streaming';
}

function receivers(node: TestNode): string[] {
  return node
    .processes()
    .filter((pid) => titleOf(pid).includes('walreceiver'))
    .map(String);
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

test('an empty directory is filled by a base backup, and the Replica streams under its own name', async () => {
  const node = await replica('r1');
  const { report } = node;
  expect(report).toMatchObject({ receivingFrom: 'm', stopped: false, armed: null, error: null });
  expect(report?.data.systemId).toBe(master.report?.data.systemId);
  expect(report?.postgres.inRecovery).toBe(true);
  const progress = node.roleServer.reports
    .filter(({ phase }) => phase === 'cloning')
    .map(({ progress }) => progress?.what);
  expect(progress).toContain('pg_basebackup');
  expect(existsSync(`${node.dataDir}.clone`)).toBe(false);
  master.sql('CREATE TABLE IF NOT EXISTS t (x int); INSERT INTO t VALUES (1)');
  await until(
    'the row arrives',
    () => node.sql("SELECT to_regclass('t')") === 't' && node.sql('SELECT count(*) FROM t') >= '1',
  );

  // Changing the upstream ends the receiver without a restart.
  const pid = report?.postgres.pid;
  let index = node.roleServer.say({ kind: 'follow', upstream: null });
  const cut = await node.reported(
    'nobody',
    ({ receivingFrom, obeysIndex }) => receivingFrom === null && obeysIndex === index,
  );
  expect(cut.postgres.pid).toBe(pid);
  await until('no receiver', () => receivers(node).length === 0, 2_000);
  index = node.roleServer.say({ kind: 'follow', upstream: master.upstream });
  await node.reported('the Master', ({ receivingFrom, obeysIndex }) => receivingFrom === 'm' && obeysIndex === index);
  await until('it streams again', () => isStreaming('r1'));
  expect(node.report?.postgres.pid).toBe(pid);

  // Also while replay is paused, where PostgreSQL itself leaves the receiver running.
  node.sql('SELECT pg_wal_replay_pause()');
  node.roleServer.say({ kind: 'follow', upstream: null });
  await until('no receiver', () => receivers(node).length === 0, 2_000);
  node.sql('SELECT pg_wal_replay_resume()');

  // `wait` leaves it alone, and a standby that dies is started again.
  node.roleServer.say({ kind: 'follow', upstream: master.upstream });
  await until('it streams again', () => isStreaming('r1'));
  node.roleServer.say({ kind: 'wait' });
  await node.reported('running on', ({ phase }) => phase === 'running');
  node.roleServer.say({ kind: 'follow', upstream: master.upstream });
  process.kill(pid ?? 0, 'SIGKILL');
  const died = await node.reported('its exit', ({ postgres }) => postgres.exit !== null);
  expect(died.postgres.exit).toMatchObject({ asked: false, signal: 'SIGKILL' });
  await node.reported('running', ({ postgres, phase }) => phase === 'running' && postgres.pid !== pid);
});

test('an upstream that has been promoted since is not copied under the term of before', async () => {
  const node = await cluster.node('r6');
  master.roleServer.dataTerm = 2;
  node.roleServer.say({ kind: 'follow', upstream: master.upstream });
  node.start();
  const { error, data } = await node.reported('refused', (told) => told.error !== null);
  expect(error).toEqual({ code: 'HAPG_CLONE_FAILED', message: 'the data of m is of term 2, not 1' });
  expect(data.state).toBe('empty');
  node.roleServer.say({ kind: 'follow', upstream: { ...master.upstream, term: 2 } });
  await until('it streams', () => isStreaming('r6'), 60_000);
  master.roleServer.dataTerm = 1;
});

test('data that a runner had put aside, and could not put other data in its place, goes when a copy has proven itself', async () => {
  const node = await cluster.node('r5');
  const replaced = `${node.dataDir}.replaced`;
  mkdirSync(replaced);
  writeFileSync(join(replaced, 'PG_VERSION'), '15');
  node.roleServer.say({ kind: 'follow', upstream: master.upstream });
  node.start();
  await until('it streams', () => isStreaming('r5'), 60_000);
  expect(existsSync(replaced)).toBe(true);
  await until('the old data is gone', () => !existsSync(replaced));
});

test('a standby that is promoted without the Master role is killed at once and stays down at that index', async () => {
  const node = await replica('r2');
  const pid = node.report?.postgres.pid;
  node.session('SELECT pg_promote(false)');
  const report = await node.reported('killed', ({ postgres }) => postgres.exit !== null);
  expect(report.postgres.exit).toMatchObject({ signal: 'SIGKILL', asked: true });
  await node.reported('stopped', ({ stopped }) => stopped);
  expect(node.log).toContain('outOfRecoveryWithoutTheMasterRoleFences');
  expect(node.processes()).not.toContain(pid);

  // A DeadMaster stays stopped, over a restart too, until somebody empties the directory.
  node.roleServer.say({ kind: 'blocked', why: 'DeadMaster' });
  await node.reported('blocked', ({ phase, stopped }) => phase === 'blocked' && stopped);
  node.runner?.kill('SIGTERM');
  expect(await node.exit()).toBe(0);
  const before = node.roleServer.reports.length;
  node.start();
  await until('the new runner reports', () =>
    node.roleServer.reports.slice(before).some(({ phase }) => phase === 'blocked'),
  );
  expect(node.report).toMatchObject({ stopped: true, data: { state: 'initialised' } });
  for (const name of readdirSync(node.dataDir)) {
    rmSync(join(node.dataDir, name), { recursive: true });
  }
  await node.reported('emptied', ({ data, phase }) => data.state === 'empty' && phase === 'blocked', 5_000);
});

test('a Replica changes to another upstream without a restart', async () => {
  const [between, node] = [await replica('c1'), await replica('c2')];
  const pid = node.report?.postgres.pid;
  const index = node.roleServer.say({ kind: 'follow', upstream: between.upstream });
  const report = await node.reported('obeyed', ({ obeysIndex }) => obeysIndex === index);
  expect(report).toMatchObject({ receivingFrom: 'c1', postgres: { pid } });
  const names = () => between.sql('SELECT application_name FROM pg_stat_replication');
  await until('it streams from there', () => names() === 'c2');
  await until('and from nobody else', () => !isStreaming('c2'));
});

test('a base backup that cannot be taken is told, tried again, and leaves nothing behind', async () => {
  const node = await cluster.node('r3');
  const nobody = await cluster.node('nobody');
  nobody.roleServer.dataTerm = 1;
  node.roleServer.say({ kind: 'follow', upstream: nobody.upstream });
  node.start();
  const report = await node.reported('a failure', ({ error }) => error?.code === 'HAPG_CLONE_FAILED');
  expect(report.error?.message).toContain('Connection refused');
  expect(report.data.state).toBe('empty');
  expect(existsSync(`${node.dataDir}.clone`)).toBe(false);
  node.roleServer.say({ kind: 'follow', upstream: master.upstream });
  await node.reported('running', ({ phase, error }) => phase === 'running' && error === null, 60_000);
});

test('data of another cluster, of a newer version, or open to others is refused, each with its own error', async () => {
  const node = await replica('r4');
  node.runner?.kill('SIGTERM');
  await node.exit();
  node.start('--system-id', '12345');
  await node.reported('foreign', ({ error, obeysIndex }) => error?.code === 'HAPG_DATA_FOREIGN' && obeysIndex > 0);
  expect(node.report).toMatchObject({ postgres: { pid: null }, stopped: false });
  node.runner?.kill('SIGTERM');
  await node.exit();
  const version = join(node.dataDir, 'PG_VERSION');
  const real = readFileSync(version, 'utf8');
  writeFileSync(version, '99\n');
  node.start();
  await node.reported('newer', ({ error }) => error?.code === 'HAPG_DATA_NEWER');
  writeFileSync(version, real);
  node.runner?.kill('SIGTERM');
  await node.exit();
  chmodSync(node.dataDir, 0o755);
  node.start();
  await node.reported('open to others', ({ error }) => error?.code === 'HAPG_DATA_PERMISSIONS');
  chmodSync(node.dataDir, 0o750);
  await node.reported('running', ({ phase, error }) => phase === 'running' && error === null);
});
