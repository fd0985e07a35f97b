import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART, render } from './testing/render';
import { container, database, filesOf } from './testing/workloads';

const ROOT = join(CHART, '..', '..', '..');

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'chart-scripts-'));
  mkdirSync(join(room, 'bin'));
});
afterEach(() => rmSync(room, { recursive: true }));

/** A program that the script finds instead of the real one. */
function program(name: string, body: string): void {
  const path = join(room, 'bin', name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

/** Runs a script of the chart as it is rendered, in a place of its own. */
function run(script: string, environment: Readonly<Record<string, string>> = {}) {
  const text = filesOf(render(), 'ha-postgres-scripts')[script] ?? '';
  const here = text.replaceAll('/var/lib/ha-postgres', `${room}/volume`);
  return spawnSync('/bin/sh', ['-c', here], {
    encoding: 'utf8',
    timeout: 8_000,
    env: {
      PATH: `${room}/bin:/usr/bin:/bin`,
      PROCEED_FILE: join(room, 'proceed'),
      ENDING_FILE: join(room, 'ending'),
      ...environment,
    },
  });
}

describe('wait-pgdata-empty', () => {
  const place = { POD_NAME: 'ha-postgres-1', POD_NAMESPACE: 'db' };
  const never = { ...place, HAPG_REJOIN: 'never' };

  function volume(state: object | null, files: readonly string[] = ['PG_VERSION']): void {
    for (const directory of ['controller', 'data']) mkdirSync(join(room, 'volume', directory), { recursive: true });
    // As writeStateFile of service-kit writes it.
    if (state !== null) writeFileSync(join(room, 'volume/controller/controller.json'), `${JSON.stringify(state)}\n`);
    for (const file of files) writeFileSync(join(room, 'volume/data', file), '');
  }
  const dead = { node: 'ha-postgres-1', deadMaster: true, rejoining: null };

  test.each([
    ['a node that has never run', null, []],
    ['a Replica', { ...dead, deadMaster: false }, ['PG_VERSION']],
    ['a DeadMaster whose data directory was emptied', dead, []],
  ] as const)('lets %s go on', (_name, state, files) => {
    volume(state, files);
    expect(run('wait-pgdata-empty.sh', never)).toMatchObject({ status: 0, stderr: '' });
  });

  test.each(['safe', 'always'])('lets a DeadMaster go on that rejoins by itself: rejoin %s', (rejoin) => {
    volume(dead);
    expect(run('wait-pgdata-empty.sh', { ...place, HAPG_REJOIN: rejoin }).status).toBe(0);
  });

  test('holds a DeadMaster that must not rejoin by itself, says why and what to type, and lets it go when told to', () => {
    volume(dead);
    // Who comes while it waits: looks what it says, empties the directory and says so.
    program('sleep', `rm -rf ${room}/volume/data && touch ${room}/proceed`);
    const { status, stdout } = run('wait-pgdata-empty.sh', never);
    expect(status).toBe(0);
    expect(stdout).toContain('ha-postgres-1 is a DeadMaster');
    expect(stdout).toContain('kubectl exec -n db ha-postgres-1 -c wait-pgdata-empty --');
    expect(stdout).toContain('touch /proceed');
  });

  test('goes on waiting though the directory is empty, until it is told to go on', () => {
    volume(dead);
    program(
      'sleep',
      `rm -rf ${room}/volume/data; echo x >>${room}/slept; [ "$(wc -l <${room}/slept)" -lt 5 ] || touch ${room}/proceed`,
    );
    expect(run('wait-pgdata-empty.sh', never).status).toBe(0);
    expect(readFileSync(join(room, 'slept'), 'utf8').split('\n')).toHaveLength(6);
  });

  test('looks for the property by which the controller remembers', () => {
    const source = readFileSync(join(ROOT, 'apps/db-controller/src/disk.ts'), 'utf8');
    expect(source).toMatch(/readonly deadMaster: boolean/);
    const { env = [] } = container(database(render()).spec.template.spec, 'controller');
    expect(env).toContainEqual({ name: 'HAPG_STATE_DIR', value: '/var/lib/ha-postgres/controller' });
  });

  test('is told what the controller is told of rejoining', () => {
    const rejoin = (values = {}) =>
      container(database(render(values)).spec.template.spec, 'wait-pgdata-empty').env?.find(
        ({ name }) => name === 'HAPG_REJOIN',
      )?.value;
    expect(rejoin()).toBe('safe');
    expect(rejoin({ db: { controller: { options: { rejoin: 'never' } } } })).toBe('never');
  });
});

describe('hand-over', () => {
  test('asks hapg to hand over if this node is the Master, within the time that it has', () => {
    program('hapg', `printf '%s ' "$@" >${room}/asked`);
    expect(run('hand-over.sh', { HAPG_NODE: 'ha-postgres-2', HAND_OVER_TIMEOUT: '20s' }).status).toBe(0);
    expect(readFileSync(join(room, 'asked'), 'utf8').trim()).toBe('switchover --from ha-postgres-2 --yes --wait 20s');
  });

  test('lets the pod end though nobody could take over, and tells Consul’s agent that it does', () => {
    program('hapg', 'exit 1');
    expect(run('hand-over.sh', { HAPG_NODE: 'ha-postgres-2', HAND_OVER_TIMEOUT: '20s' }).status).toBe(0);
    expect(existsSync(join(room, 'ending'))).toBe(true);
    for (const name of ['postgres', 'consul']) {
      const mounts = container(database(render()).spec.template.spec, name).volumeMounts;
      expect(mounts).toContainEqual(expect.objectContaining({ name: 'run', mountPath: '/run/ha-postgres' }));
    }
  });

  test('asks by options that hapg has', () => {
    const source = readFileSync(join(ROOT, 'apps/hapg/src/commands/switchover.ts'), 'utf8');
    for (const option of ['from', 'yes', 'wait']) expect(source).toMatch(new RegExp(`^    ${option}: \\{`, 'm'));
  });
});

describe('write-and-read (helm test)', () => {
  const ports = { MASTER_PORT: '5432', STANDBY_PORT: '5433', HAS_STANDBYS: 'true' };
  /** A psql that answers as Replicas do, and keeps what it was told, by port. */
  const psql = (isInRecovery: string) =>
    program(
      'psql',
      `while [ "$1" != -p ]; do shift; done; port=$2; cat >>${room}/$port; [ "$port" = 5432 ] || echo ${isInRecovery}`,
    );

  test('writes through the port of the Master and reads on a Replica', () => {
    psql('t');
    const { status, stdout } = run('write-and-read.sh', ports);
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('read on a Replica') as string,
    });
    expect(readFileSync(join(room, '5432'), 'utf8')).toMatch(/INSERT INTO[\s\S]*DROP TABLE/);
    expect(readFileSync(join(room, '5433'), 'utf8')).toContain('SELECT pg_is_in_recovery()');
  });

  test('fails where the port of the Replicas leads to the Master', () => {
    psql('f');
    program('sleep', '');
    expect(run('write-and-read.sh', ports)).toMatchObject({ status: 1 });
  });

  test('fails where nothing can be written', () => {
    program('psql', 'cat >/dev/null; exit 2');
    program('sleep', '');
    expect(run('write-and-read.sh', ports).stdout).toContain('nothing could be written');
  });

  test('asks no Replica of a cluster that has none', () => {
    psql('t');
    expect(run('write-and-read.sh', { ...ports, HAS_STANDBYS: 'false' }).status).toBe(0);
    expect(existsSync(join(room, '5433'))).toBe(false);
  });
});
