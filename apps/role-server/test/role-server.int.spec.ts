import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControllerState } from '@ha-postgres/cluster-state';
import { bootId, millisToNanosText, monotonicNow, signRequest, verifyAnswer } from '@ha-postgres/service-kit';
import { StandInController } from './fixture/controller';
import { sampleState } from './fixture/sample-state';

const BUNDLE = join(__dirname, '..', 'dist', 'main.js');
const SECRET = 'cluster secret';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : NaN;
}

/** A state of this machine's boot, valid for `validMs` from now. */
function stateOfNow(index: number, validMs: number, changes: Partial<ControllerState> = {}): ControllerState {
  return sampleState({ index, bootId: bootId(), validUntil: millisToNanosText(monotonicNow() + validMs), ...changes });
}

describe('role-server as a real process beside a controller on a unix socket', () => {
  const directory = mkdtempSync(join(tmpdir(), 'role-server-'));
  const socket = join(directory, 'controller.sock');
  let controller: StandInController;
  let child: ChildProcess;
  let base = '';
  let output = '';

  const statusOf = async (path: string): Promise<number> => (await fetch(base + path)).status;

  async function until(what: string, condition: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<void> {
    const deadline = monotonicNow() + withinMs;
    while (!(await condition())) {
      if (monotonicNow() > deadline) throw new Error(`waited in vain until ${what}; log:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function role(query = ''): Promise<Record<string, unknown>> {
    const answer = await fetch(`${base}/controller/role${query}`, { headers: { accept: 'application/json' } });
    return (await answer.json()) as Record<string, unknown>;
  }

  beforeEach(async () => {
    controller = new StandInController(stateOfNow(1, 60_000));
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    output = '';
    child = spawn(
      process.execPath,
      [BUNDLE, '--node=pg1', '--host=127.0.0.1', `--port=${port}`, `--controller-socket=${socket}`],
      {
        env: { HAPG_CLUSTER_SECRET: SECRET },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    await until('it listens', async () => (await fetch(`${base}/liveness`).catch(() => undefined))?.status === 200);
  });

  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await controller.close();
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it('finds a controller that comes later, goes and comes back, and answers from the last state meanwhile', async () => {
    expect(await statusOf('/controller/ready')).toBe(503);
    await controller.listen(socket);
    await until('it is ready', async () => (await statusOf('/controller/ready?role=Replica')) === 200);
    await controller.close();
    expect(await statusOf('/controller/ready')).toBe(200);
    expect(await role()).toMatchObject({ index: 1, role: 'Replica' });
    controller = new StandInController(stateOfNow(2, 60_000, { role: 'Master' }));
    await controller.listen(socket);
    await until('it tells the new role', async () => (await statusOf('/primary')) === 200);
  });

  it('tells a waiting runner the new state with the deadline as it came', async () => {
    await controller.listen(socket);
    await until('it has a state', async () => (await role()).index === 1);
    const news = role('?index=1&wait=30s');
    const next = stateOfNow(2, 60_000, { role: 'Master', instruction: { kind: 'lead', term: 8 } });
    controller.publish(next);
    expect(await news).toMatchObject({
      index: 2,
      validUntil: next.validUntil,
      bootId: bootId(),
      instruction: { kind: 'lead', term: 8 },
    });
  });

  it('is not ready once the state is past its validity, though nobody told it anything', async () => {
    await controller.listen(socket);
    controller.publish(stateOfNow(2, 1_000));
    await until('it is ready', async () => (await role()).index === 2);
    const { validUntil } = (await role()) as { validUntil: string };
    await until('it is not ready', async () => (await statusOf('/controller/ready')) === 503);
    expect(process.hrtime.bigint()).toBeGreaterThanOrEqual(BigInt(validUntil));
    expect(await role()).toMatchObject({ role: 'Replica', validUntil });
    expect(await statusOf('/liveness')).toBe(200);
  });

  it('passes signed requests and reports on, and answers 504 when the controller hangs', async () => {
    await controller.listen(socket);
    const path = '/controller/vote';
    const body = '{"term":8,"candidate":"pg2"}';
    const post = (): Promise<Response> => {
      const { nonce, headers } = signRequest(SECRET, { method: 'POST', path, body });
      return fetch(base + path, { method: 'POST', headers: { ...headers }, body }).then(async (answer) => {
        if (answer.status !== 200) return answer;
        const text = await answer.clone().text();
        expect(verifyAnswer(SECRET, nonce, Object.fromEntries(answer.headers), text)).toBe(true);
        return answer;
      });
    };
    const answer = await post();
    expect([answer.status, await answer.json()]).toEqual([200, { answered: '/vote' }]);
    expect(controller.received).toEqual([{ path: '/vote', body }]);
    controller.isHung = true;
    expect((await post()).status).toBe(504);
    const unsigned = await fetch(base + path, { method: 'POST', body });
    expect(unsigned.status).toBe(401);
  });

  it('tells its own metrics and those of the controller', async () => {
    await controller.listen(socket);
    await until('it is connected', async () => (await statusOf('/health')) === 200);
    const text = await (await fetch(`${base}/metrics`)).text();
    expect(text).toContain('hapg_term{app="db-controller"} 7');
    expect(text).toContain('hapg_role_server_controller_connected{app="role-server"} 1');
  });

  it('cuts off a client that never ends its request', async () => {
    const { port, hostname } = new URL(base);
    const slow = createConnection({ host: hostname, port: Number(port) });
    slow.on('error', () => undefined);
    slow.write('POST /controller/runner HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf');
    slow.resume();
    await once(slow, 'close');
    expect(await statusOf('/liveness')).toBe(200);
  });

  it('settles below 80 MiB under the checks of a cluster', async () => {
    await controller.listen(socket);
    await until('it is ready', async () => (await statusOf('/health')) === 200);
    let index = 1;
    const settle = async (): Promise<boolean> => {
      controller.publish(stateOfNow((index += 1), 60_000));
      expect(await statusOf('/controller/ready?role=Replica')).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const [, kilobytes = 'unknown'] =
        /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8')) ?? [];
      return index > 20 && Number(kilobytes) < 80 * 1024;
    };
    await until('it is small', settle, 60_000);
  });

  it('ends cleanly on SIGTERM while a runner waits and the controller is there', async () => {
    await controller.listen(socket);
    await until('it has a state', async () => (await role()).index === 1);
    const waiting = role('?index=1&wait=30s').catch(() => 'cut');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(await waiting).toBe('cut');
  });
});

describe('role-server with a bad configuration', () => {
  it('exits 78 and tells all of it', async () => {
    const child = spawn(process.execPath, [BUNDLE, '--port=70000'], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(78);
    expect(complaint).toContain('4 problems');
    for (const option of ['node', 'controllerSocket', 'clusterSecret', 'port']) expect(complaint).toContain(option);
  });
});
