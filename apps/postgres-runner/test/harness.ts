import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerReport, Upstream } from '@ha-postgres/cluster-state';
import { killProcessesIn, processesIn } from '@ha-postgres/service-kit';
import { RoleServerStandIn } from './role-server-stand-in';

export const PASSWORD = "it's: a \\ password";
const PROJECT = join(__dirname, '..');
const IS_ROOT = process.getuid?.() === 0;
export const ACCOUNT: { uid: number; gid: number } | null = IS_ROOT ? { uid: idOf('-u'), gid: idOf('-g') } : null;

function idOf(what: '-u' | '-g'): number {
  return Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }));
}

/** PostgreSQL's programs as Debian and PATH have them. */
export const BIN = [
  ...(process.env.PATH ?? '').split(':'),
  ...(existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
    : []),
].find((directory) => existsSync(join(directory, 'initdb')));

/** Bundles the app as it is shipped: the tests run the same file. */
export function bundle(): void {
  const { status, stderr } = spawnSync(process.execPath, ['../../tools/bundle.mjs'], {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the bundle was not made: ${stderr}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits for a condition, with a bound; what it returned. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | null,
  limitMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false && value !== null) return value;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await delay(2);
  }
}

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

/** A runner process with a scripted role-server, on a data directory of its own. */
export class TestNode {
  readonly roleServer: RoleServerStandIn;
  readonly dataDir: string;
  readonly stateDir: string;
  readonly socketDir: string;
  log = '';
  runner: ChildProcess | null = null;
  #url = '';
  port = 0;

  constructor(
    readonly name: string,
    readonly root: string,
  ) {
    this.roleServer = new RoleServerStandIn(name);
    this.dataDir = join(root, name, 'data');
    this.stateDir = join(root, name, 'state');
    this.socketDir = join(root, name, 'run');
    mkdirSync(join(root, name), { recursive: true });
    for (const directory of [join(root, name)]) if (ACCOUNT !== null) chownSync(directory, ACCOUNT.uid, ACCOUNT.gid);
  }

  async listen(): Promise<void> {
    this.#url = await this.roleServer.listen();
    this.port = await freePort();
  }

  /** Starts a runner; `more` are further arguments. */
  start(...more: readonly string[]): ChildProcess {
    const child = spawn(
      process.execPath,
      [
        join(PROJECT, 'dist', 'main.js'),
        ...['--node', this.name, '--data-dir', this.dataDir, '--state-dir', this.stateDir],
        ...['--role-server-url', this.#url, '--port', String(this.port), '--socket-dir', this.socketDir],
        ...['--listen-addresses', '127.0.0.1', '--log-level', 'debug'],
        ...(ACCOUNT === null ? [] : ['--user', 'postgres']),
        ...more,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          HAPG_SUPERUSER_PASSWORD: PASSWORD,
          HAPG_REPLICATION_PASSWORD: PASSWORD,
          HAPG_REWIND_PASSWORD: PASSWORD,
          HAPG_CONTROLLER_PASSWORD: PASSWORD,
        },
      },
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    }
    this.runner = child;
    return child;
  }

  get report(): RunnerReport | undefined {
    return this.roleServer.report;
  }

  /** Waits for a report, of those not yet there when this is called or the last one, that fulfils the condition. */
  async reported(what: string, condition: (report: RunnerReport) => boolean, limitMs?: number): Promise<RunnerReport> {
    try {
      return await until(
        what,
        () => (this.report !== undefined && condition(this.report) ? this.report : null),
        limitMs,
      );
    } catch (error) {
      const lines = this.log.split('\n').slice(-25).join('\n');
      throw new Error(`${(error as Error).message}\n${JSON.stringify(this.report)}\n${lines}`, { cause: error });
    }
  }

  /** Runs SQL as the superuser over TCP; its output, without alignment. */
  sql(text: string, user = 'postgres', database = 'postgres'): string {
    const { status, stdout, stderr } = spawnSync('psql', this.#psql(user, database, text), {
      encoding: 'utf8',
      env: { ...process.env, PGPASSWORD: PASSWORD, PGCONNECT_TIMEOUT: '5' },
      timeout: 20_000,
    });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** A session of its own that runs SQL until it ends. */
  session(text: string): ChildProcess {
    return spawn('psql', this.#psql('postgres', 'postgres', text), {
      stdio: 'ignore',
      env: { ...process.env, PGPASSWORD: PASSWORD },
    });
  }

  #psql(user: string, database: string, text: string): string[] {
    return ['-h', '127.0.0.1', '-p', String(this.port), '-U', user, '-d', database, '-XAtq', '-c', text];
  }

  get upstream(): Upstream {
    return { node: this.name, host: '127.0.0.1', port: this.port, apiPort: this.roleServer.port, term: 1 };
  }

  processes(): number[] {
    return processesIn(this.dataDir);
  }

  async exit(): Promise<number | string | null> {
    const { runner } = this;
    if (runner === null) return null;
    if (runner.exitCode === null && runner.signalCode === null) {
      await new Promise((resolve) => runner.once('exit', resolve));
    }
    return runner.exitCode ?? runner.signalCode;
  }

  async end(): Promise<void> {
    this.runner?.kill('SIGCONT');
    this.runner?.kill('SIGKILL');
    await this.exit();
    await until('no process is left', () => {
      killProcessesIn(this.dataDir, 'SIGKILL');
      return this.processes().length === 0;
    });
    await this.roleServer.close();
  }
}

/** Nodes below one temporary directory, all ended and removed by `end`. */
export class TestCluster {
  readonly root = mkdtempSync(join(tmpdir(), 'hapg-runner-'));
  readonly #nodes: TestNode[] = [];

  constructor() {
    chmodSync(this.root, 0o755);
  }

  async node(name: string): Promise<TestNode> {
    const node = new TestNode(name, this.root);
    this.#nodes.push(node);
    await node.listen();
    return node;
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) await node.end();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** A node whose new cluster runs as Master of term 1. */
  async master(name: string, ...more: readonly string[]): Promise<TestNode> {
    const node = await this.node(name);
    node.roleServer.say({ kind: 'initialise' });
    node.start(...more);
    await node.reported('a fresh cluster', ({ data, stopped }) => data.fresh && stopped, 90_000);
    node.roleServer.say({ kind: 'lead', term: 1 });
    await node.reported('running', ({ phase, postgres }) => phase === 'running' && postgres.inRecovery === false);
    return node;
  }
}
