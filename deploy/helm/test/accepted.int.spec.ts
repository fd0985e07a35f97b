import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { render, CHART } from '../src/testing/render';
import { VALUE_SETS } from '../src/testing/value-sets';
import { container, database, environmentOf, filesOf, loadBalancer, type PodSpec } from '../src/testing/workloads';

/*
 * What the chart renders, judged by the programs that it is for: the built services, HAProxy and Consul themselves.
 */

const APPS = join(CHART, '..', '..', '..', 'apps');
const SETS = Object.entries(VALUE_SETS);
const PLACE = { POD_NAME: 'ha-postgres-2', POD_IP: '10.0.0.7', POD_NAMESPACE: 'db' };

/** What start.sh says on the command line; without it Consul looks for an address among those of this machine. */
const STARTED = { advertise_addr: PLACE.POD_IP };

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'chart-accepted-'));
});
afterEach(() => rmSync(room, { recursive: true }));

/** Writes the files of a ConfigMap as they are mounted; returns their directory. */
function mounted(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(room, 'files-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

/** What the built service says to the environment and the file that a container gives it. */
function checked(app: string, spec: PodSpec, name: string, files: Readonly<Record<string, string>>) {
  // The certificate of an external Consul is a file of another Secret, which is not here.
  const { HAPG_CONFIG = '', CONSUL_CACERT, ...environment } = environmentOf(container(spec, name), PLACE);
  const path = join(mounted(files), HAPG_CONFIG.split('/').at(-1) ?? '');
  const env = { PATH: process.env.PATH ?? '', ...environment, HAPG_CONFIG: path };
  return spawnSync(process.execPath, [join(APPS, app, 'dist', 'main.js'), '--check-config'], { encoding: 'utf8', env });
}

test.each(SETS)('every service takes its configuration: %s', (_name, values) => {
  const manifests = render(values);
  const db = database(manifests).spec.template.spec;
  const lb = loadBalancer(manifests).spec.template.spec;
  for (const { status, stderr } of [
    checked('postgres-runner', db, 'postgres', filesOf(manifests, 'ha-postgres-runner')),
    checked('db-controller', db, 'controller', filesOf(manifests, 'ha-postgres-controller')),
    checked('role-server', db, 'role-server', filesOf(manifests, 'ha-postgres-role-server')),
    checked('lb-syncer', lb, 'lb-syncer', filesOf(manifests, 'postgres-lb')),
  ]) {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }
});

test('what a user sets comes to the service: settings, options of all nodes, and of one', () => {
  const manifests = render({
    db: {
      postgres: { settings: { max_connections: 123 } },
      controller: { options: { leaseDuration: '5s' } },
      nodes: { '2': { failoverPriority: 7 } },
    },
  });
  const db = database(manifests).spec.template.spec;
  const said = (app: string, name: string, files: string) =>
    JSON.parse(checked(app, db, name, filesOf(manifests, files)).stdout) as Record<string, { value: unknown }>;
  expect(said('postgres-runner', 'postgres', 'ha-postgres-runner')).toMatchObject({
    settings: { value: ['max_connections=123'] },
  });
  const controller = said('db-controller', 'controller', 'ha-postgres-controller');
  expect(controller).toMatchObject({ leaseDuration: { value: 5000 }, failoverPriority: { value: 7 } });
});

test.each(SETS)('HAProxy takes its configuration: %s', (_name, values) => {
  const file = join(mounted(filesOf(render(values), 'postgres-lb')), 'haproxy.cfg');
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test.each(SETS)('Consul takes its configuration: %s', (_name, values) => {
  const manifests = render(values);
  const maps = ['consul-agent', 'consul-agent-lb', 'consul-server'].filter((name) =>
    manifests.some(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name),
  );
  for (const name of maps) {
    const { 'agent.json': text = '' } = filesOf(manifests, name);
    // Consul 1.8 says it in other words; what is deprecated there is what 1.22 wants.
    const { tls, ...config } = JSON.parse(text) as Record<string, unknown>;
    if (tls !== undefined)
      expect(tls).toEqual({ defaults: { ca_file: '/etc/consul-ca/ca.crt', verify_outgoing: true } });
    const file = join(mounted({ 'agent.json': JSON.stringify({ ...config, ...STARTED }) }), 'agent.json');
    const { status, stdout, stderr } = spawnSync('consul', ['validate', file], { encoding: 'utf8' });
    expect({ name, status, stdout, stderr }).toMatchObject({ name, status: 0 });
  }
});

describe('the start of Consul', () => {
  /** The command line that start.sh makes, and the files beside. */
  function started(environment: Readonly<Record<string, string>>, gossip = true) {
    const bin = mkdtempSync(join(room, 'bin-'));
    writeFileSync(join(bin, 'consul'), '#!/bin/sh\nprintf "%s\\n" "$@"; env\n', { mode: 0o755 });
    const { 'start.sh': script = '' } = filesOf(render(), 'consul-agent');
    const home = mkdtempSync(join(room, 'consul-'));
    for (const name of ['data', 'config', 'gossip']) mkdirSync(join(home, name));
    if (gossip) writeFileSync(join(home, 'gossip', 'gossip.json'), '{"encrypt":"x"}');
    const { stdout, status } = spawnSync('/bin/sh', ['-c', script.replaceAll('/consul/', `${home}/`)], {
      encoding: 'utf8',
      env: { PATH: `${bin}:/usr/bin:/bin`, POD_IP: '10.0.0.7', CONSUL_NODE_NAME: 'ha-postgres-0', ...environment },
    });
    return { status, lines: stdout.split('\n'), home };
  }
  const id = (lines: readonly string[]) =>
    lines.find((line) => line.startsWith('-node-id='))?.slice('-node-id='.length);

  test('gives a node the id of its name: the same at every start, another for another name', () => {
    const { lines } = started({});
    expect(id(lines)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(id(started({ POD_IP: '10.9.9.9' }).lines)).toBe(id(lines));
    expect(id(started({ CONSUL_NODE_NAME: 'ha-postgres-1' }).lines)).not.toBe(id(lines));
    expect(lines).toEqual(expect.arrayContaining(['agent', '-node=ha-postgres-0', '-advertise=10.0.0.7']));
  });

  test.each([
    ['is only started anew', false, 'SIGTERM'],
    ['is of a pod that ends for good: it leaves', true, 'SIGINT'],
  ])('passes on that the agent %s, and waits for its end', async (_what, isEnding, signal) => {
    const bin = mkdtempSync(join(room, 'bin-'));
    const home = mkdtempSync(join(room, 'consul-'));
    const said =
      "for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => setTimeout(() => { console.log(s); process.exit(3) }, 200));";
    writeFileSync(
      join(bin, 'consul'),
      `#!${process.execPath}\n${said} console.log('up'); setTimeout(() => 0, 20000);\n`,
      { mode: 0o755 },
    );
    if (isEnding) writeFileSync(join(home, 'ending'), '');
    const { 'start.sh': script = '' } = filesOf(render(), 'consul-agent');
    const here = script.replaceAll('/consul/', `${home}/`).replaceAll('/run/ha-postgres/ending', join(home, 'ending'));
    const shell = spawn('/bin/sh', ['-c', here], {
      env: { PATH: `${bin}:/usr/bin:/bin`, POD_IP: '10.0.0.7', CONSUL_NODE_NAME: 'ha-postgres-0' },
    });
    let out = '';
    shell.stdout.on('data', (text: Buffer) => {
      if (out === '') shell.kill('SIGTERM');
      out += text.toString();
    });
    const [code] = (await once(shell, 'close')) as [number | null];
    expect({ out, code }).toEqual({ out: `up\n${signal}\n`, code: 3 });
  });

  test('reads the key of the gossip where there is one', () => {
    expect(started({}).lines.some((line) => line.endsWith('gossip/gossip.json'))).toBe(true);
    expect(started({}, false).lines.join()).not.toContain('gossip.json');
  });

  test('shows a token neither on the command line nor in the environment', () => {
    const { lines, home } = started({ CONSUL_AGENT_TOKEN: 'secret-token' });
    expect(lines.join('\n')).not.toContain('secret-token');
    const file = lines.find((line) => line.endsWith('token.json'))?.slice('-config-file='.length) ?? '';
    expect(file.startsWith(home)).toBe(true);
    const { 'agent.json': text = '' } = filesOf(render(), 'consul-agent');
    const agent = mounted({ 'agent.json': text, 'started.json': JSON.stringify(STARTED) });
    const files = [join(agent, 'agent.json'), join(agent, 'started.json'), file];
    const { status, stdout } = spawnSync('consul', ['validate', ...files], { encoding: 'utf8' });
    expect({ status, stdout }).toMatchObject({ status: 0 });
  });
});
