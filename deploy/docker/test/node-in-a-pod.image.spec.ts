import { waitFor } from '@ha-postgres/local-cluster';
import { buildImages } from './built-images';
import { NodePod } from './node-pod';

const BUILD_MS = 900_000;
const SETTLE_MS = 60_000;

let pod: NodePod;
beforeAll(async () => {
  pod = new NodePod(buildImages());
  pod.start();
  await pod.becomesMaster();
  pod.sql('CREATE TABLE visits (place text)');
}, BUILD_MS);
afterAll(() => {
  (pod as NodePod | undefined)?.remove();
});

test('the images make a Master together, which takes a write', () => {
  pod.sql("INSERT INTO visits VALUES ('first')");
  expect(pod.sql('SELECT place FROM visits')).toContain('first');
  expect(pod.sql('SELECT pg_is_in_recovery()')).toBe('f');
});

test('hapg shows the cluster, from the controller’s container and from PostgreSQL’s', () => {
  for (const container of ['controller', 'postgres'] as const) {
    expect(pod.exec(container, 'hapg', 'status')).toMatch(/pg-0.*Master/);
  }
});

test('the controller can reach what it must be able to kill: every process of PostgreSQL, in another container', async () => {
  const before = pod.sql('SELECT pg_postmaster_start_time()');
  const killed = pod.exec('controller', 'node', '-e', KILL_WHAT_WORKS_IN_THE_DATA_DIRECTORY).split(' ');
  expect(killed.length).toBeGreaterThan(3);
  await waitFor(() => pod.sql('SELECT pg_postmaster_start_time()') !== before, {
    what: 'PostgreSQL to be started anew',
    timeoutMs: SETTLE_MS,
  });
  await pod.becomesMaster();
  expect(pod.sql('SELECT count(*) FROM visits')).not.toBe('0');
}, 120_000);

test('SIGTERM ends PostgreSQL cleanly within its grace, and the next container goes on with its data', async () => {
  await pod.becomesMaster();
  pod.sql("INSERT INTO visits VALUES ('before the stop')");
  expect(pod.stop('postgres', 20)).toBe(0);
  pod.startAgain('postgres');
  await pod.becomesMaster();
  expect(pod.sql('SELECT place FROM visits')).toContain('before the stop');
  const recovered = pod.logs().split('--- postgres')[1] ?? '';
  expect(recovered).not.toContain('was interrupted');
}, 120_000);

/** As db-controller's fence does: by the working directory, which another account's processes would hide. */
const KILL_WHAT_WORKS_IN_THE_DATA_DIRECTORY = `
  const fs = require('node:fs');
  const identity = (path) => { try { const { dev, ino } = fs.statSync(path); return dev + ':' + ino; } catch { return ''; } };
  const wanted = identity('/var/lib/ha-postgres/data');
  const pids = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && identity('/proc/' + name + '/cwd') === wanted);
  // The end of one may be the end of others.
  for (const pid of pids) try { process.kill(Number(pid), 'SIGKILL'); } catch (error) { if (error.code !== 'ESRCH') throw error; }
  process.stdout.write(pids.join(' '));`;
