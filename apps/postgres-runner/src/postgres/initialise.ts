import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@ha-postgres/service-kit';
import type { Account } from './account';
import type { Binaries } from './binaries';
import { runInitScripts } from './init-scripts';
import { Postmaster } from './postmaster';
import { runProgram } from './program';
import { sqlName } from './quoting';
import { usersSql, type UsersSource } from './users';

export interface InitialiseSource extends UsersSource {
  readonly dataDir: string;
  readonly superuserName: string;
  readonly superuserPassword: string;
  readonly locale: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly initScripts: string | undefined;
  /** As a member will run with, so that scripts find preloaded libraries. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface InitialiseTools {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly log: Log;
  readonly onProgress: (what: string) => void;
  readonly signal: AbortSignal;
}

const SERVER_START_LIMIT_MS = 60_000;
const SERVER_POLL_MS = 20;

function emptyDirectory(dataDir: string, account: Account): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(dataDir)) {
    if (name !== 'lost+found') rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  account.own(dataDir);
  // initdb wants to be the only one who can look into it, and an empty volume may be open to all.
  chmodSync(dataDir, 0o700);
}

async function initdb(source: InitialiseSource, tools: InitialiseTools, directory: string): Promise<void> {
  const { binaries, account, log, signal } = tools;
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, `${source.superuserPassword}\n`, { mode: 0o600 });
  account.own(passwordFile);
  await runProgram({
    command: join(binaries.dir, 'initdb'),
    arguments: [
      ...['-D', source.dataDir, '--data-checksums', '--encoding=UTF8', `--locale=${source.locale}`],
      ...[`--username=${source.superuserName}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    ],
    cwd: source.dataDir,
    account,
    signal,
    onLine: (line) => log.debug({ event: 'initialise.output' }, line),
  });
}

/** A server that only this function's caller can reach: no TCP, a socket in a directory of its own. */
async function startPrivately(
  source: InitialiseSource,
  tools: InitialiseTools,
  directory: string,
): Promise<Postmaster> {
  const hba = join(directory, 'pg_hba.conf');
  writeFileSync(hba, 'local all all trust\n', { mode: 0o600 });
  tools.account.own(hba);
  const settings = {
    ...source.settings,
    listen_addresses: '',
    unix_socket_directories: directory,
    hba_file: hba,
    // There is nobody yet to confirm anything.
    synchronous_standby_names: '',
  };
  const server = new Postmaster(
    { binDir: tools.binaries.dir, dataDir: source.dataDir, settings, upstream: null, asItself: true },
    tools.account,
    tools.log,
  );
  const ended = new AbortController();
  void server.exited.then(() => ended.abort());
  const limit = AbortSignal.any([tools.signal, AbortSignal.timeout(SERVER_START_LIMIT_MS)]);
  while (!server.isReady) {
    await delay(SERVER_POLL_MS, undefined, { signal: limit });
    if (ended.signal.aborted)
      throw new Error(`the server for the init scripts ended: ${server.lastFatal ?? 'it said nothing'}`);
    server.poll();
  }
  return server;
}

async function stopCleanly(server: Postmaster, signal: AbortSignal): Promise<void> {
  server.signal('SIGINT');
  let giveUp = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    const { code } = await Promise.race([server.exited, aborted]);
    if (code !== 0) throw new Error(`the server for the init scripts ended with ${String(code)}`);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** The environment that init scripts know from the official image. */
function scriptEnvironment(source: InitialiseSource, socketDir: string): Record<string, string> {
  const database = source.database ?? 'postgres';
  return {
    ...Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        value === undefined || name.startsWith('HAPG_') ? [] : [[name, value]],
      ),
    ),
    PATH: process.env.PATH ?? '',
    PGHOST: socketDir,
    PGPORT: String(source.port),
    PGUSER: source.superuserName,
    PGDATABASE: database,
    PGDATA: source.dataDir,
    POSTGRES_USER: source.superuserName,
    POSTGRES_PASSWORD: source.superuserPassword,
    POSTGRES_DB: database,
  };
}

async function fill(source: InitialiseSource, tools: InitialiseTools, socketDir: string): Promise<void> {
  const { binaries, account, log, signal, onProgress } = tools;
  const environment = scriptEnvironment(source, socketDir);
  environment.PATH = `${binaries.dir}:${environment.PATH ?? ''}`;
  const psql = [join(binaries.dir, 'psql'), '-v', 'ON_ERROR_STOP=1', '--no-password', '--no-psqlrc', '--quiet'];
  const run = (command: string, arguments_: readonly string[], input?: string | ((stdin: Writable) => void)) =>
    runProgram({
      command,
      arguments: arguments_,
      cwd: '/',
      account,
      environment,
      signal,
      ...(input === undefined ? {} : { input }),
      onLine: (line) => log.info({ event: 'initialise.output' }, line),
    });
  const [command = 'psql', ...options] = psql;
  onProgress('users');
  await run(command, [...options, '--dbname', 'postgres'], usersSql(source, binaries.major));
  if (source.database !== undefined && source.database !== 'postgres') {
    await run(command, [...options, '--dbname', 'postgres'], `CREATE DATABASE ${sqlName(source.database)};`);
  }
  if (source.initScripts === undefined || !existsSync(source.initScripts)) return;
  await runInitScripts(source.initScripts, {
    psql,
    run,
    log,
    onScript: (name) => onProgress(`init script ${name}`),
  });
}

/**
 * Makes a new database cluster in an empty (or half-made) directory: initdb, users, init scripts; leaves it stopped.
 * @throws Error if a step fails or `signal` is aborted: what lies in the directory is then of no use, and processes may
 * be left in it.
 */
export async function initialise(source: InitialiseSource, tools: InitialiseTools): Promise<void> {
  const { account, onProgress } = tools;
  // Short, because the path of a socket may have no more than 107 bytes; the state directory's may be longer.
  const directory = mkdtempSync(join(tmpdir(), 'hapg-'));
  account.own(directory);
  try {
    onProgress('initdb');
    emptyDirectory(source.dataDir, account);
    await initdb(source, tools, directory);
    const server = await startPrivately(source, tools, directory);
    await fill(source, tools, directory);
    onProgress('stopping');
    await stopCleanly(server, tools.signal);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
