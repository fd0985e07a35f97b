import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { killProcessesIn, processesIn } from '@ha-postgres/service-kit';
import { openConnection, type ConnectionPlace } from '../src';

const run = promisify(execFile);
const BIN = process.env.PG_BIN ?? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();

export const PASSWORD = 'super-secret';

/** PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, else as ourselves. */
const asUser = ((): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
})();

/** A PostgreSQL of its own on a free loopback port, of no cluster of ours. */
export class PlainPostgres {
  private postmaster: ChildProcess | null = null;

  private constructor(
    private readonly home: string,
    readonly port: number,
  ) {}

  /** An empty primary that takes connections. */
  static async primary(...settings: readonly string[]): Promise<PlainPostgres> {
    const postgres = await PlainPostgres.create();
    const passwordFile = join(postgres.home, 'password');
    writeFileSync(passwordFile, PASSWORD);
    const options = ['-U', 'postgres', '--no-sync', '--auth=scram-sha-256', '--pwfile', passwordFile, '--no-locale'];
    await run(join(BIN, 'initdb'), ['-D', postgres.dataDir, ...options], { ...asUser, cwd: postgres.home });
    appendFileSync(join(postgres.dataDir, 'postgresql.conf'), ['fsync = off', ...settings, ''].join('\n'));
    await postgres.start();
    return postgres;
  }

  /** A standby of this one that streams, or is about to. */
  async standby(): Promise<PlainPostgres> {
    const standby = await PlainPostgres.create();
    const source = `host=127.0.0.1 port=${this.port} user=postgres password=${PASSWORD}`;
    const options = ['-d', source, '-D', standby.dataDir, '-X', 'stream', '-c', 'fast', '--no-sync', '-R'];
    await run(join(BIN, 'pg_basebackup'), options, { ...asUser, cwd: standby.home });
    await standby.start();
    return standby;
  }

  get place(): ConnectionPlace {
    return { host: '127.0.0.1', port: this.port, user: 'postgres', password: PASSWORD, database: 'postgres' };
  }

  /** Runs one statement on a connection of its own. */
  async query<Row extends object>(sql: string): Promise<Row[]> {
    const connection = await openConnection(this.place, 10_000);
    try {
      return (await connection.client.query<Row>(sql)).rows;
    } finally {
      connection.drop();
    }
  }

  /** Ends all its processes at once. */
  async kill(): Promise<void> {
    const child = this.postmaster;
    child?.kill('SIGKILL');
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await eventually(`all processes of ${this.dataDir} to be gone`, () => {
      killProcessesIn(this.dataDir, 'SIGKILL');
      return processesIn(this.dataDir).length === 0;
    });
  }

  /** Ends all its processes and removes its files. */
  async destroy(): Promise<void> {
    await this.kill();
    rmSync(this.home, { recursive: true, force: true });
  }

  private get dataDir(): string {
    return join(this.home, 'data');
  }

  private static async create(): Promise<PlainPostgres> {
    const home = mkdtempSync(join(tmpdir(), 'checker-'));
    if (asUser.uid !== undefined) execFileSync('chown', [`${asUser.uid}:${String(asUser.gid)}`, home]);
    return new PlainPostgres(home, await freePort());
  }

  private async start(): Promise<void> {
    const log = join(this.home, 'log');
    const file = openSync(log, 'a');
    const flags = ['-D', this.dataDir, '-p', String(this.port), '-h', '127.0.0.1', '-k', this.home];
    const child = spawn(join(BIN, 'postgres'), flags, { ...asUser, cwd: this.home, stdio: ['ignore', file, file] });
    this.postmaster = child;
    await eventually(`${this.dataDir} to take connections`, () => {
      if (child.exitCode !== null) throw new Error(`postgres ended: ${readFileSync(log, 'utf8')}`);
      return this.query('SELECT 1').then(
        () => true,
        () => false,
      );
    });
  }
}

/** Waits until something holds, at most 30 s. @throws Error that names what was waited for. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (await holds()) return;
    await delay(20);
  }
  throw new Error(`waited 30 s in vain for ${what}`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
