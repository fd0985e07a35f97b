import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { bundle, isAlive, TestCluster, until, type TestNode } from './harness';

let cluster: TestCluster;
beforeAll(bundle);
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.end());

function writeScripts(directory: string): void {
  mkdirSync(directory);
  const scripts: Record<string, string | Buffer> = {
    '1-table.sql': 'CREATE TABLE steps (name text);',
    '2-executed.sh':
      '#!/bin/sh\npsql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO steps VALUES (\'executed\')"\n',
    '3-sourced.sh': 'psql -c "INSERT INTO steps VALUES (\'sourced\')"\n',
    '4-packed.sql.gz': gzipSync("INSERT INTO steps VALUES ('packed');"),
    'readme.txt': 'not a script',
  };
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(directory, name), text);
  chmodSync(join(directory, '2-executed.sh'), 0o755);
}

async function nothingLeft(node: TestNode, limitMs?: number): Promise<void> {
  await until('no process of the data directory', () => node.processes().length === 0, limitMs);
}

test('a new cluster gets its users and runs its init scripts in order, then leads as what it is', async () => {
  const scripts = join(cluster.root, 'scripts');
  writeScripts(scripts);
  const node = await cluster.master('a', '--init-scripts', scripts, '--database', 'app', '--settings', 'work_mem=5MB');
  expect(node.sql('SELECT name FROM steps', 'postgres', 'app')).toBe('executed\nsourced\npacked');
  expect(node.sql('SELECT current_user', 'replicator')).toBe('replicator');
  expect(node.sql("SELECT pg_is_in_recovery(), current_setting('work_mem')", 'controller')).toBe('f|5MB');
  expect(() => node.sql("SELECT pg_ls_dir('.')", 'controller')).toThrow(/permission denied/);
  const settings = ['restart_after_crash', 'wal_level', 'wal_log_hints', 'data_checksums', 'wal_keep_size'];
  const shown = settings.map((name) => node.sql(`SHOW ${name}`));
  expect(shown).toEqual(['off', 'replica', 'on', 'on', '512MB']);
  const control = node.report?.data;
  expect(control).toMatchObject({ state: 'initialised', fresh: false, timeline: 1 });
  expect(control?.systemId).toBe(node.sql('SELECT system_identifier FROM pg_control_system()'));
});

test('a failing init script is reported with its words, the directory wiped, and a mended one tried again', async () => {
  const scripts = join(cluster.root, 'scripts');
  mkdirSync(scripts);
  writeFileSync(join(scripts, '1.sql'), 'SELECT broken_name;');
  const node = await cluster.node('a');
  node.roleServer.say({ kind: 'initialise' });
  node.start('--init-scripts', scripts);
  const failure = await node.reported('a failure', ({ error }) => error?.code === 'HAPG_INITIALISE_FAILED', 60_000);
  expect(failure.error?.message).toContain('broken_name');
  expect(failure.data.state).toBe('empty');
  expect(failure.stopped).toBe(false);
  writeFileSync(join(scripts, '1.sql'), 'SELECT 1;');
  const made = await node.reported('a fresh cluster', ({ data, stopped }) => data.fresh && stopped, 60_000);
  expect(made.error).toBeNull();
  node.roleServer.say({ kind: 'wipe' });
  await node.reported('wiped', ({ data }) => data.state === 'empty');
});

test('the deadline fences: it is acknowledged, moved by each newer answer, and past it no process is left', async () => {
  const node = await cluster.master('a');
  expect(node.report?.armed).toMatchObject({ term: 1 });
  const later = node.roleServer.say({ kind: 'lead', term: 1 });
  await node.reported('armed by the new deadline', ({ armed }) => armed?.index === later);
  let index = later;
  for (let beat = 0; beat < 5; beat += 1) {
    index = node.roleServer.say({ kind: 'lead', term: 1 }, 300);
    await until('it has taken up the new deadline', () => node.roleServer.isTaken(index), 250);
  }
  await nothingLeft(node, 5_000);
  const report = await node.reported('stopped', ({ stopped }) => stopped);
  expect(report).toMatchObject({ armed: null, obeysIndex: index, phase: 'stopped' });
  expect(report.postgres.exit).toMatchObject({ signal: 'SIGKILL', asked: true });
  // Lifted by a higher index with a future deadline: in standby mode, as it is for the controller to promote.
  node.roleServer.say({ kind: 'lead', term: 2 });
  const again = await node.reported('running again', ({ phase }) => phase === 'running');
  expect(again.postgres.inRecovery).toBe(true);
  expect(again.data.fresh).toBe(false);
  node.sql('SELECT pg_promote(false)', 'controller');
  await node.reported('promoted', ({ postgres }) => postgres.inRecovery === false);
  expect(node.sql('CREATE TABLE t (x int); SELECT 1')).toBe('1');
});

test('synchronous names and the bar stand before a start and a promotion, and change while it runs', async () => {
  const node = await cluster.node('a');
  const shown = () => node.sql('SHOW synchronous_standby_names', 'controller');
  node.roleServer.say({ kind: 'initialise' });
  node.start();
  await node.reported('a fresh cluster', ({ data, stopped }) => data.fresh && stopped, 90_000);
  const names = 'ANY 1 ("b", "c")';
  node.roleServer.say({ kind: 'lead', term: 1, synchronousStandbyNames: names, admits: 'replication' });
  const running = await node.reported('running', ({ phase }) => phase === 'running');
  expect(running).toMatchObject({ synchronousStandbyNames: names, admits: 'replication' });
  expect(shown()).toBe(names);
  expect(node.sql("SELECT current_setting('ha_postgres.admits')", 'controller')).toBe('replication');
  expect(() => node.sql('SELECT 1')).toThrow(/rejects connection/);

  node.roleServer.say({ kind: 'lead', term: 1, synchronousStandbyNames: 'ANY 1 ("b")' });
  await until('everyone is let in', () => {
    try {
      return node.sql('SELECT 1') === '1';
    } catch {
      return false;
    }
  });
  await until('the other names', () => shown() === 'ANY 1 ("b")');
  const waiting = node.session('CREATE TABLE t (x int)');
  const waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  await until('a commit that waits', () => node.sql(waits) === '1');
  // What the controller does not name stays.
  const index = node.roleServer.say({ kind: 'lead', term: 1 });
  await node.reported('obeyed', ({ obeysIndex }) => obeysIndex === index);
  expect(shown()).toBe('ANY 1 ("b")');
  expect(waiting.exitCode).toBeNull();

  node.roleServer.say({ kind: 'lead', term: 1, synchronousStandbyNames: '' });
  await until('the commit goes on', () => waiting.exitCode === 0);

  node.roleServer.say({ kind: 'stop', mode: 'immediate', why: 'test' });
  await node.reported('stopped', ({ stopped }) => stopped);
  node.roleServer.say({ kind: 'follow', upstream: null, synchronousStandbyNames: 'ANY 1 ("-")' });
  await node.reported('a standby', ({ phase, postgres }) => phase === 'running' && postgres.inRecovery === true);
  expect(shown()).toBe('ANY 1 ("-")');
});

test('SIGKILL of the runner: the guard ends PostgreSQL, and the next runner starts it again', async () => {
  const node = await cluster.master('a');
  const { pid } = (await node.reported('running', ({ postgres }) => postgres.pid !== null)).postgres;
  node.session('SELECT pg_sleep(600)');
  await until(
    'a busy backend',
    () => node.sql("SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep\\(6'") >= '1',
  );
  node.runner?.kill('SIGKILL');
  await node.exit();
  await nothingLeft(node, 3_000);
  expect(isAlive(pid ?? 0)).toBe(false);
  const before = node.roleServer.reports.length;
  node.start();
  await until('reports of the new runner', () => node.roleServer.reports.length > before);
  const again = await node.reported('running again', ({ phase }) => phase === 'running');
  expect(again.postgres).toMatchObject({ inRecovery: true });
});

test('a guard that dies is replaced', async () => {
  const node = await cluster.master('a');
  const guard = () => Number(readFileSync(join(node.stateDir, 'guard.pid'), 'utf8').split(' ')[0]);
  const first = guard();
  process.kill(first, 'SIGKILL');
  const second = await until('another guard', () => (guard() !== first && isAlive(guard()) ? guard() : null));
  const status = readFileSync(`/proc/${second}/status`, 'utf8');
  expect(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])).toBeLessThan(2_048);
  node.runner?.kill('SIGKILL');
  await nothingLeft(node, 3_000);
});

test('a runner that was frozen past the deadline fences first, though a newer answer waits for it', async () => {
  const node = await cluster.master('a');
  const index = node.roleServer.say({ kind: 'lead', term: 1 }, 400);
  await until('it has taken up the deadline', () => node.roleServer.isTaken(index));
  const pid = node.report?.postgres.pid;
  node.runner?.kill('SIGSTOP');
  const deadline = performance.now() + 500;
  await until('the deadline has passed', () => performance.now() > deadline);
  expect(node.sql('SELECT 1')).toBe('1');
  node.roleServer.say({ kind: 'lead', term: 1 });
  node.runner?.kill('SIGCONT');
  const fenced = await node.reported('fenced', ({ postgres }) => postgres.exit !== null);
  expect(fenced.postgres.exit).toMatchObject({ signal: 'SIGKILL', asked: true });
  const again = await node.reported(
    'started anew',
    ({ postgres, phase }) => postgres.pid !== pid && phase === 'running',
  );
  expect(again.postgres.inRecovery).toBe(true);
});

test('an immediate stop ends busy backends too, and nothing starts before a higher index', async () => {
  const node = await cluster.master('a');
  for (let n = 0; n < 8; n += 1) node.session('SELECT pg_sleep(600)');
  await until(
    '8 busy backends',
    () => node.sql("SELECT count(*) FROM pg_stat_activity WHERE state='active' AND query ~ '^SELECT pg_sleep'") === '8',
  );
  const index = node.roleServer.say({ kind: 'stop', mode: 'immediate', why: 'test' });
  await node.reported('stopped', ({ stopped, obeysIndex }) => stopped && obeysIndex === index, 5_000);
  expect(node.processes()).toEqual([]);
});

test('a fast stop is clean, and the report tells its end', async () => {
  const node = await cluster.master('a');
  const index = node.roleServer.say({ kind: 'stop', mode: 'fast', why: 'switchover' }, 60_000, { role: 'Master' });
  const report = await node.reported('stopped', ({ stopped, obeysIndex }) => stopped && obeysIndex === index);
  expect(report.data).toMatchObject({ cleanShutdown: true, state: 'initialised' });
  expect(report.postgres.exit).toMatchObject({ code: 0, asked: true });
});

test('a fast stop that takes longer than the deadline is fenced', async () => {
  const node = await cluster.master('a');
  process.kill(node.report?.postgres.pid ?? 0, 'SIGSTOP');
  node.roleServer.say({ kind: 'stop', mode: 'fast', why: 'switchover' }, 300, { role: 'Master' });
  const report = await node.reported('stopped', ({ stopped }) => stopped, 2_500);
  expect(report.data.cleanShutdown).toBe(false);
  expect(node.log).toContain('aPassedDeadlineFences');
});

test('an armed PostgreSQL that dies is reported, its backends killed, and not started again in that term', async () => {
  const node = await cluster.master('a');
  node.session('SELECT pg_sleep(600)');
  process.kill(node.report?.postgres.pid ?? 0, 'SIGKILL');
  const report = await node.reported('its exit', ({ postgres }) => postgres.exit !== null);
  expect(report.postgres.exit).toMatchObject({ signal: 'SIGKILL', asked: false });
  await nothingLeft(node, 3_000);
  const index = node.roleServer.say({ kind: 'lead', term: 1 });
  const held = await node.reported('stopped', ({ stopped, obeysIndex }) => stopped && obeysIndex === index);
  expect(held).toMatchObject({ armed: null, error: { code: 'HAPG_POSTGRES_EXITED' } });
  node.roleServer.say({ kind: 'lead', term: 2 });
  await node.reported('running', ({ phase }) => phase === 'running');
});

test('SIGTERM stops clean within 5 s: exiting, a last report that nothing is left, exit code 0', async () => {
  const node = await cluster.master('a');
  node.session('SELECT pg_sleep(600)');
  node.runner?.kill('SIGTERM');
  expect(await node.exit()).toBe(0);
  expect(node.processes()).toEqual([]);
  expect(node.report).toMatchObject({ phase: 'exiting', stopped: true, data: { cleanShutdown: true } });
});

test('answers of another boot or to another node change nothing, nor does a role-server that restarts', async () => {
  const node = await cluster.master('a');
  const block = { kind: 'blocked', why: 'not for us' } as const;
  const ignored = () => node.log.split('answer.ignored').length - 1;
  node.roleServer.say(block, 60_000, { bootId: 'another' });
  await until('it is ignored', () => ignored() >= 1);
  node.roleServer.say(block, 60_000, { node: 'b' });
  await until('it is ignored', () => node.log.includes('for node \\"b\\"'));
  await node.roleServer.restart();
  const index = node.roleServer.say({ kind: 'lead', term: 1 });
  const report = await node.reported('obeyed', ({ obeysIndex }) => obeysIndex === index);
  expect(report).toMatchObject({ phase: 'running', postgres: { exit: null, inRecovery: false } });
});

test('a runner told to end in the middle of initialising leaves no process, and the next one begins anew', async () => {
  const scripts = join(cluster.root, 'scripts');
  mkdirSync(scripts);
  writeFileSync(join(scripts, '1.sh'), 'sleep 601');
  const node = await cluster.node('a');
  node.roleServer.say({ kind: 'initialise' });
  node.start('--init-scripts', scripts);
  await node.reported('the script', ({ progress }) => progress?.what === 'init script 1.sh', 60_000);
  node.runner?.kill('SIGTERM');
  expect(await node.exit()).toBe(0);
  expect(node.processes()).toEqual([]);
  writeFileSync(join(scripts, '1.sh'), 'true');
  node.start('--init-scripts', scripts);
  const made = await node.reported('a fresh cluster', ({ data, stopped }) => data.fresh && stopped, 60_000);
  expect(made.data.timeline).toBe(1);
});

test('bad options end it with 78 before anything is opened, root without an account too', async () => {
  const node = await cluster.node('a');
  node.start('--settings', 'restart_after_crash=on');
  expect(await node.exit()).toBe(78);
  expect(node.log).toContain('restart_after_crash');
  node.start('--user', 'root');
  expect(await node.exit()).toBe(78);
  expect(existsSync(node.stateDir)).toBe(false);
});

test('a second runner of the node refuses and harms nothing', async () => {
  const node = await cluster.master('a');
  const first = node.runner;
  node.start();
  expect(await node.exit()).toBe(70);
  expect(node.log).toContain('HAPG_NODE_LOCKED');
  expect(node.sql('SELECT 1')).toBe('1');
  node.runner = first;
});
