import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keys } from './lab/cluster';
import { startLab, type Lab } from './lab/lab';
import { reached } from './lab/node';
import { Server, eventually, freePorts } from './lab/processes';

const BUNDLE = join(__dirname, '../dist/main.js');

let lab: Lab;
let syncer: Server;
let url: string;

async function startProcess(): Promise<void> {
  const [port = 0] = await freePorts(1);
  url = `http://127.0.0.1:${port}`;
  const flags = [
    '--name',
    'lb-9',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--haproxy-address',
    lab.haproxy.adminAddress,
  ];
  syncer = new Server(process.execPath, [BUNDLE, ...flags], { env: { CONSUL_HTTP_ADDR: lab.consul.address } });
  syncer.start();
}

beforeEach(async () => {
  lab = await startLab();
  await startProcess();
});
afterEach(async () => {
  await syncer.end();
  await lab.end();
});

const healthz = () => fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2000) });
const residentMiB = (): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${syncer.pid}/status`, 'utf8'))?.[1]) / 1024;

describe('the lb-syncer process (the built bundle)', () => {
  it('routes, tells its health and metrics, stays small, and leaves routes but no report when stopped', async () => {
    const [master] = lab.nodes;
    await lab.cluster.join(master, 'Master');
    await lab.cluster.acquire(master);
    await eventually(
      'the route',
      () => reached(lab.haproxy.masterPort),
      (node) => node === master.name,
    );
    const health = await healthz();
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ ok: true });
    await eventually(
      'it is ready',
      () => fetch(`${url}/readyz`),
      ({ status }) => status === 200,
    );
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^hapg_lb_routed\{backend="master".*\} 1$/m);
    expect(metrics).toMatch(/^hapg_lb_changes_total\{backend="master",to="serve".*\} [1-9]/m);
    await eventually(
      'the report',
      () => lab.consul.client.kvGet(keys.lbStatus('lb-9')),
      ({ entry }) => entry !== null,
    );
    expect(residentMiB()).toBeLessThan(80);
    expect(await syncer.end('SIGTERM')).toBe(0);
    expect((await lab.consul.client.kvGet(keys.lbStatus('lb-9'))).entry).toBeNull();
    expect(await reached(lab.haproxy.masterPort)).toBe(master.name);
  });

  it('says in its health that HAProxy is gone', async () => {
    await eventually('it is healthy', healthz, ({ status }) => status === 200);
    await lab.haproxy.server.end();
    const failing = await eventually('it fails', healthz, ({ status }) => status === 503);
    expect(await failing.json()).toMatchObject({ ok: false, consul: { ok: true }, haproxy: { ok: false } });
  });

  it('names every problem of its configuration and exits with 78', () => {
    const run = (): string =>
      execFileSync(process.execPath, [BUNDLE, '--port', '0', '--haproxy-address', 'x'], {
        stdio: 'pipe',
        encoding: 'utf8',
      });
    expect(run).toThrow(
      expect.objectContaining({ status: 78, stderr: expect.stringMatching(/port \(--port\)/) as string }) as Error,
    );
  });
});
