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
import type { ContractCluster, ContractServer } from '../src/postgres/testing/contract';

const run = promisify(execFile);
const BIN = process.env.PG_BIN ?? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
const LIMIT_MS = 60_000;
/** Longer than `wal_retrieve_retry_interval`: what can connect has tried. */
const A_WHILE_MS = 1500;
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  'fsync = off',
  'wal_retrieve_retry_interval = 200ms',
  'wal_keep_size = 64MB',
  'restart_after_crash = off',
];

/** PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, else as ourselves. */
const asUser = ((): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
})();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Real servers on free loopback ports, with their data in a temporary directory. */
export class RealCluster implements ContractCluster<RealServer> {
  private readonly home = mkdtempSync(join(tmpdir(), 'simulator-'));
  private readonly servers: RealServer[] = [];

  constructor() {
    if (asUser.uid !== undefined) execFileSync('chown', [`${asUser.uid}:${String(asUser.gid)}`, this.home]);
  }

  async first(): Promise<RealServer> {
    const server = await this.add('first');
    await run(join(BIN, 'initdb'), ['-D', server.dataDir, '-U', 'postgres', '--no-sync', '--auth=trust'], this.options);
    appendFileSync(join(server.dataDir, 'postgresql.conf'), `${SETTINGS.join('\n')}\n`);
    return server;
  }

  async replicaOf(upstream: RealServer, name: string): Promise<RealServer> {
    const server = await this.add(name);
    await run(
      join(BIN, 'pg_basebackup'),
      ['-d', upstream.conninfo, '-D', server.dataDir, '-c', 'fast', '--no-sync'],
      this.options,
    );
    await this.follow(server, upstream);
    return server;
  }

  async follow(server: RealServer, upstream: RealServer, slot = ''): Promise<void> {
    const { dataDir, name } = server;
    writeFileSync(join(dataDir, 'standby.signal'), '');
    const conninfo = `${upstream.conninfo} application_name=${name}`;
    appendFileSync(
      join(dataDir, 'postgresql.conf'),
      `primary_conninfo = '${conninfo}'\nprimary_slot_name = '${slot}'\nsynchronous_standby_names = ''\n`,
    );
    await Promise.resolve();
  }

  async eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    const until = performance.now() + LIMIT_MS;
    while (!(await holds())) {
      if (performance.now() > until)
        throw new Error(`not in time: ${what}\n${this.servers.map(({ log }) => log).join('\n')}`);
      await delay(20);
    }
  }

  aWhile(): Promise<void> {
    return delay(A_WHILE_MS);
  }

  async end(): Promise<void> {
    for (const server of this.servers) await server.kill();
    rmSync(this.home, { recursive: true, force: true });
  }

  private get options(): { cwd: string } {
    return { ...asUser, cwd: this.home };
  }

  private async add(name: string): Promise<RealServer> {
    const server = new RealServer(this, this.home, name, await freePort());
    this.servers.push(server);
    return server;
  }
}

class RealServer implements ContractServer {
  private postmaster: ChildProcess | null = null;

  constructor(
    private readonly cluster: RealCluster,
    private readonly home: string,
    readonly name: string,
    private readonly port: number,
  ) {}

  get dataDir(): string {
    return join(this.home, this.name);
  }

  get conninfo(): string {
    return `host=127.0.0.1 port=${this.port} user=postgres`;
  }

  get log(): string {
    return `${this.name}: ${readFileSync(join(this.home, `${this.name}.log`), 'utf8')}`;
  }

  async start(): Promise<void> {
    const log = openSync(join(this.home, `${this.name}.log`), 'a');
    const flags = ['-D', this.dataDir, '-p', String(this.port), '-k', this.home];
    const child = spawn(join(BIN, 'postgres'), flags, { ...asUser, cwd: this.home, stdio: ['ignore', log, log] });
    this.postmaster = child;
    await this.cluster.eventually(`${this.name} takes connections`, () => {
      if (child.exitCode !== null) throw new Error(this.log);
      return this.ask('SELECT 1').then(
        () => true,
        () => false,
      );
    });
  }

  async stop(): Promise<void> {
    await this.signal('SIGINT');
  }

  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  async write(): Promise<() => boolean> {
    let isDone = false;
    const sql = 'CREATE TABLE IF NOT EXISTS written (at int); INSERT INTO written VALUES (1)';
    // Its end is told by what it returns; a server that is killed meanwhile breaks the connection.
    void this.ask(sql).then(
      () => (isDone = true),
      () => undefined,
    );
    await Promise.resolve();
    return () => isDone;
  }

  async promote(): Promise<void> {
    await this.ask('SELECT pg_promote(true)');
    await this.cluster.eventually(
      'it is out of recovery',
      async () => (await this.ask('SELECT pg_is_in_recovery()')) === 'f',
    );
  }

  async checkpoint(): Promise<void> {
    await this.ask('CHECKPOINT');
  }

  async timeline(): Promise<number> {
    return Number.parseInt((await this.ask('SELECT pg_walfile_name(pg_current_wal_lsn())')).slice(0, 8), 16);
  }

  async timelinesBefore(timeline: number): Promise<readonly number[]> {
    const name = `pg_wal/${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
    const lines = (await this.ask(`SELECT pg_read_file('${name}', 0, 65536, true)`)).split('\n');
    return lines.flatMap((line) => /^\d+/.exec(line) ?? []).map(Number);
  }

  async controlTimeline(): Promise<number> {
    return Number(await this.ask('SELECT timeline_id FROM pg_control_checkpoint()'));
  }

  async position(): Promise<number> {
    const lsn = 'CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END';
    return Number(await this.ask(`SELECT (${lsn}) - '0/0'::pg_lsn`));
  }

  async isStreaming(): Promise<boolean> {
    return (await this.ask("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")) === '1';
  }

  async setNames(names: string): Promise<void> {
    appendFileSync(join(this.dataDir, 'postgresql.conf'), `synchronous_standby_names = '${names}'\n`);
    await this.ask('SELECT pg_reload_conf()');
    const shown = (): Promise<boolean> => this.ask('SHOW synchronous_standby_names').then((text) => text === names);
    await this.cluster.eventually('the setting is read', shown);
    // Whether commits wait at all is the checkpointer's word.
    await this.ask('CHECKPOINT');
  }

  private async ask(sql: string): Promise<string> {
    const flags = ['--no-psqlrc', '-qtA', '-d', `${this.conninfo} dbname=postgres`, '-c', sql];
    return (await run(join(BIN, 'psql'), flags, { cwd: '/' })).stdout.trim();
  }

  private async signal(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const child = this.postmaster;
    if (child?.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    await this.cluster.eventually(`all of ${this.name} is gone`, () => {
      const left = this.pids();
      for (const pid of left) if (signal === 'SIGKILL') killIfAlive(pid);
      return left.length === 0;
    });
  }

  /** Every process that works in the data directory. */
  private pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => worksIn(pid, this.dataDir));
  }
}

function worksIn(pid: number, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dataDir;
  } catch {
    return false;
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
