import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { HeldConnection, type ConnectionTarget } from '../src';

const run = promisify(execFile);
const BIN = process.env.PG_BIN ?? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();

/** PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, else as ourselves. */
const asUser = ((): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
})();

export const SUPERUSER_PASSWORD = 'super-secret';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until `holds` does, at most 30 s. @throws Error that names what was waited for. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (await holds()) return;
    await delay(20);
  }
  throw new Error(`not within 30 s: ${what}`);
}

/** Signals a process of whose end between looking and signalling nothing depends. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A real PostgreSQL on a free loopback port with its data in a temporary directory. */
export class LocalPostgres {
  readonly #home: string;
  readonly port: number;
  #postmaster: ChildProcess | undefined;

  private constructor(home: string, port: number) {
    this.#home = home;
    this.port = port;
  }

  static async #create(): Promise<LocalPostgres> {
    const home = mkdtempSync(join(tmpdir(), 'pg-health-'));
    if (asUser.uid !== undefined) execFileSync('chown', [`${asUser.uid}:${String(asUser.gid)}`, home]);
    return new LocalPostgres(home, await freePort());
  }

  static async initialised(...settings: readonly string[]): Promise<LocalPostgres> {
    const postgres = await LocalPostgres.#create();
    const passwordFile = join(postgres.#home, 'password');
    writeFileSync(passwordFile, SUPERUSER_PASSWORD);
    const options = ['-U', 'postgres', '--no-sync', '--auth=scram-sha-256', '--pwfile', passwordFile, '--no-locale'];
    await run(join(BIN, 'initdb'), ['-D', postgres.dataDir, ...options], { ...asUser, cwd: postgres.#home });
    postgres.configure('fsync = off', 'wal_retrieve_retry_interval = 200ms', ...settings);
    return postgres;
  }

  /** A Replica of this server, copied by pg_basebackup, not started yet. */
  async replica(...settings: readonly string[]): Promise<LocalPostgres> {
    const replica = await LocalPostgres.#create();
    const options = ['-d', this.connectionString(), '-D', replica.dataDir, '-X', 'stream', '-c', 'fast', '--no-sync'];
    await run(join(BIN, 'pg_basebackup'), options, { ...asUser, cwd: replica.#home });
    writeFileSync(join(replica.dataDir, 'standby.signal'), '');
    replica.configure(`primary_conninfo = '${this.connectionString()} application_name=replica'`, ...settings);
    return replica;
  }

  get dataDir(): string {
    return join(this.#home, 'data');
  }

  get target(): ConnectionTarget & { password: string } {
    const { port } = this;
    return { host: '127.0.0.1', port, user: 'postgres', password: SUPERUSER_PASSWORD, database: 'postgres' };
  }

  connectionString(): string {
    return `host=127.0.0.1 port=${this.port} user=postgres password=${SUPERUSER_PASSWORD}`;
  }

  /** Appends to postgresql.conf: a later line overrides an earlier one. */
  configure(...settings: readonly string[]): void {
    appendFileSync(join(this.dataDir, 'postgresql.conf'), `${settings.join('\n')}\n`);
  }

  /** A line of pg_hba.conf that goes before all others; read at the next reload. */
  allow(line: string): void {
    const file = join(this.dataDir, 'pg_hba.conf');
    writeFileSync(file, `${line}\n${readFileSync(file, 'utf8')}`);
  }

  /** Turns TLS on, with a new certificate for `localhost` and 127.0.0.1; gives the certificate, which is its own CA. */
  enableTls(): string {
    const at = (name: string): string => join(this.dataDir, name);
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', at('server.key'), '-out', at('server.crt')];
    const options = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names, ...files];
    execFileSync('openssl', options, { ...asUser, cwd: this.#home, stdio: 'pipe' });
    this.configure('ssl = on');
    return readFileSync(at('server.crt'), 'utf8');
  }

  /** Starts without waiting for it to take connections. */
  spawn(): ChildProcess {
    const log = openSync(join(this.#home, 'log'), 'a');
    const flags = ['-D', this.dataDir, '-p', String(this.port), '-h', '127.0.0.1', '-k', this.#home];
    const child = spawn(join(BIN, 'postgres'), flags, { ...asUser, cwd: this.#home, stdio: ['ignore', log, log] });
    this.#postmaster = child;
    return child;
  }

  async start(): Promise<void> {
    const child = this.spawn();
    await eventually(`${this.dataDir} takes connections`, async () => {
      if (child.exitCode !== null) throw new Error(`postgres ended: ${this.log}`);
      return this.connect().then(
        (held) => held.close().then(() => true),
        () => false,
      );
    });
  }

  /** Stops it in PostgreSQL's fast way, and starts it. */
  async restart(): Promise<void> {
    const child = this.#postmaster;
    if (child === undefined) throw new Error(`${this.dataDir} was never started`);
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
    await this.start();
  }

  get log(): string {
    return readFileSync(join(this.#home, 'log'), 'utf8');
  }

  async connect(onLost: (kind: string) => void = () => undefined): Promise<HeldConnection> {
    const held = new HeldConnection(this.target, {
      connectTimeoutMs: 5000,
      queryTimeoutMs: 10_000,
      onLost: ({ kind }) => onLost(kind),
    });
    await held.open();
    return held;
  }

  /** Every process that works in the data directory, the postmaster too. */
  pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && this.#worksHere(name))
      .map(Number);
  }

  signalAll(signal: NodeJS.Signals): void {
    this.pids().forEach((pid) => signalIfAlive(pid, signal));
  }

  signalPostmaster(signal: NodeJS.Signals): void {
    this.#postmaster?.kill(signal);
  }

  /** Ends all its processes and removes its files. */
  async destroy(): Promise<void> {
    const child = this.#postmaster;
    child?.kill('SIGKILL');
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await eventually(`all processes of ${this.dataDir} are gone`, () => {
      this.signalAll('SIGKILL');
      return this.pids().length === 0;
    });
    rmSync(this.#home, { recursive: true, force: true });
  }

  #worksHere(pid: string): boolean {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === this.dataDir;
    } catch {
      return false; // It has ended meanwhile, or is a zombie.
    }
  }
}
