import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { until } from './fixture/clock';

const BUNDLE = join(__dirname, '..', 'dist', 'main.js');
/** A port that is never free for Consul or PostgreSQL. */
const NOBODY = '127.0.0.1:1';

const run = (arguments_: readonly string[], environment: Record<string, string> = {}) =>
  spawnSync(process.execPath, [BUNDLE, ...arguments_], { env: environment, encoding: 'utf8', timeout: 20_000 });

/** The rows of all tables in a Markdown text. */
const cellsOf = (markdown: string): string[][] =>
  markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\| *-/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe('db-controller as a program', () => {
  it('tells its options', () => {
    const { stdout, status } = run(['--help']);
    expect(status).toBe(0);
    for (const flag of ['--state-dir', '--lease-duration', '--failover-priority']) expect(stdout).toContain(flag);
  });

  it('tells its version', () => {
    const { stdout, status } = run(['--version']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('prints its options as a table', () => {
    const { stdout, status } = run(['--print-options-markdown']);
    expect(status).toBe(0);
    expect(cellsOf(stdout)).toContainEqual(expect.arrayContaining(['`--lease-duration`', 'default 3s']));
  });

  it('tells every problem of a configuration at once, and exits with 78', () => {
    const { stderr, status } = run(['--node=x', '--lease-duration=soon', '--postgres-port=0', '--no-such-option=1']);
    expect(status).toBe(78);
    for (const problem of [/lease-?duration/i, /postgres-?port/i, /no-such-option/, /stateDir/, /clusterSecret/])
      expect(stderr).toMatch(problem);
  });
});

describe('db-controller as a process without Consul and PostgreSQL', () => {
  const directory = mkdtempSync(join(tmpdir(), 'db-controller-process-'));
  const socket = join(directory, 'controller.sock');
  const environment = { HAPG_CLUSTER_SECRET: 's', HAPG_CONTROLLER_PASSWORD: 'p', CONSUL_HTTP_ADDR: NOBODY };
  const children: ChildProcess[] = [];

  const flags = (state = 'state', ...more: string[]) => [
    '--node=b',
    '--host=127.0.0.1',
    '--postgres-port=1',
    `--socket=${socket}`,
    `--state-dir=${join(directory, state)}`,
    `--data-dir=${join(directory, 'data')}`,
    ...more,
  ];

  function start(...more: string[]): { child: ChildProcess; output: () => string } {
    const child = spawn(process.execPath, [BUNDLE, ...flags('state', ...more)], { env: environment });
    children.push(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (output += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (output += part));
    return { child, output: () => output };
  }

  const isRunning = (output: () => string) =>
    until(`it runs: ${output()}`, () => output().includes('"app.running"'), 20_000);

  async function ask(path: string): Promise<{ status: number | undefined; body: string }> {
    const asked = request({ socketPath: socket, path }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response) };
  }

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(join(directory, 'state'), { recursive: true, force: true });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('accepts a right configuration without starting anything, and keeps its secrets', () => {
    const { stdout, status } = run([...flags(), '--check-config'], {
      ...environment,
      HAPG_CLUSTER_SECRET: 'do not show',
    });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({});
    expect(stdout).not.toContain('do not show');
  });

  it('refuses a state directory inside the data directory', () => {
    const { stderr, status } = run(flags('data/state'), environment);
    expect(status).toBe(78);
    expect(stderr).toContain('must lie outside dataDir');
  });

  it('runs, answers on its socket that nothing is decided, and ends with 0 on SIGTERM', async () => {
    const { child, output } = start();
    await isRunning(output);
    expect(await ask('/state')).toMatchObject({
      status: 503,
      body: expect.stringContaining('HAPG_UNDECIDED') as string,
    });
    expect((await ask('/metrics')).body).toContain('app="db-controller"');
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(output()).not.toContain('app.stop_timeout');
    expect(output()).not.toMatch(/unhandled/i);
  });

  it('ends with 0 on SIGTERM also while role-server waits for news', async () => {
    const { child, output } = start();
    await isRunning(output);
    const waiting = request({ socketPath: socket, path: '/state?index=0&wait=60s' }).end();
    waiting.on('error', () => undefined);
    await once(waiting, 'socket');
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(output()).not.toContain('app.stop_timeout');
  });

  it('refuses to run beside another of the same state directory, and names that one', async () => {
    const first = start();
    await isRunning(first.output);
    const second = start(`--socket=${join(directory, 'second.sock')}`);
    const [code] = (await once(second.child, 'exit')) as [number];
    expect(code).toBe(70);
    expect(second.output()).toContain('HAPG_NODE_LOCKED');
    expect(second.output()).toContain(`is held by process ${first.child.pid ?? 'unknown'}`);
    expect(first.child.exitCode).toBeNull();
  });

  it('starts again at once after it was killed', async () => {
    const first = start();
    await isRunning(first.output);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    await isRunning(start().output);
    expect((await ask('/state')).status).toBe(503);
  });

  it.each([
    ['cannot be read', '{"node":'],
    ['is not what it writes', '{"node":"b","highestTerm":"seven"}'],
  ])('does not start when its memory %s: it may have promised something', async (_, content) => {
    mkdirSync(join(directory, 'state'));
    writeFileSync(join(directory, 'state', 'controller.json'), content);
    const { child, output } = start();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(70);
    expect(output()).toMatch(/HAPG_STATE_(FILE_UNREADABLE|INVALID)/);
    expect(output()).toContain(join(directory, 'state', 'controller.json'));
  });
});
