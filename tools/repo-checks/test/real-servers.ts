import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Server } from './server';
import { freePorts, postgresAccount } from './temporary';

/** System binaries that an ordinary user's PATH leaves out. */
const HAPROXY = ['/usr/local/sbin/haproxy', '/usr/sbin/haproxy'].find((path) => existsSync(path)) ?? 'haproxy';

/** A Consul server by itself, in memory; `address` as `CONSUL_HTTP_ADDR` wants it. */
export async function startConsul(): Promise<{ server: Server; address: string }> {
  const { http, rpc, lan, wan } = await freePorts('http', 'rpc', 'lan', 'wan');
  const ports = { '-http-port': http, '-server-port': rpc, '-serf-lan-port': lan, '-serf-wan-port': wan };
  const server = await Server.start({
    name: 'consul',
    command: () => [
      'consul',
      ...['agent', '-dev', '-bind', '127.0.0.1', '-client', '127.0.0.1', '-dns-port', '-1', '-grpc-port', '-1'],
      ...Object.entries(ports).flatMap(([flag, port]) => [flag, String(port)]),
    ],
    isReady: async () => {
      const answer = await fetch(`http://127.0.0.1:${http}/v1/catalog/service/consul`);
      return answer.ok && ((await answer.json()) as unknown[]).length > 0;
    },
  });
  return { server, address: `127.0.0.1:${http}` };
}

/** HAProxy with one backend `master`, whose server `master0` leads nowhere, and its Runtime API on a unix socket. */
export async function startHaproxy(): Promise<{ server: Server; socket: string }> {
  let socket = '';
  const { front } = await freePorts('front');
  const server = await Server.start({
    name: 'haproxy',
    command: (folder) => {
      socket = join(folder, 'admin.sock');
      const lines = [
        'global',
        `  stats socket ${socket} mode 600 level admin`,
        'defaults',
        '  mode tcp',
        '  timeout connect 1s',
        '  timeout client 10s',
        '  timeout server 10s',
        'listen master',
        `  bind 127.0.0.1:${front}`,
        '  server master0 127.0.0.1:1 disabled',
      ];
      writeFileSync(join(folder, 'haproxy.cfg'), `${lines.join('\n')}\n`);
      return [HAPROXY, '-db', '-f', join(folder, 'haproxy.cfg')];
    },
    isReady: () => answers({ path: socket }),
  });
  return { server, socket };
}

/** What `haproxy -c` says of a configuration; empty if all is well. */
export function haproxyComplaints(folder: string, configuration: string): string {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration);
  try {
    execFileSync(HAPROXY, ['-c', '-q', '-f', file], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error);
  }
}

export interface RealPostgres {
  readonly server: Server;
  /** As libpq's variables name it. */
  readonly environment: Readonly<Record<'PGHOST' | 'PGPORT' | 'PGUSER' | 'PGPASSWORD', string>>;
}

/** A PostgreSQL that is no standby. */
export async function startPostgres(): Promise<RealPostgres> {
  const account = postgresAccount();
  const { port } = await freePorts('port');
  const bin = postgresBin();
  const password = 'example-password';
  const server = await Server.start({
    name: 'postgres',
    command: (folder) => {
      const [data, passwordFile] = [join(folder, 'data'), join(folder, 'password')];
      chmodSync(folder, 0o755);
      writeFileSync(passwordFile, password);
      if (account.uid !== undefined) execFileSync('chown', ['-R', `${account.uid}:${account.gid ?? 0}`, folder]);
      const options = [
        '-U',
        'postgres',
        '--no-sync',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--no-locale',
      ];
      execFileSync(join(bin, 'initdb'), ['-D', data, ...options], { ...account, cwd: folder, stdio: 'pipe' });
      return [join(bin, 'postgres'), '-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
    },
    options: account,
    isReady: () => Promise.resolve(acceptsConnections(bin, port)),
    endWith: 'SIGINT',
  });
  return {
    server,
    environment: { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: 'postgres', PGPASSWORD: password },
  };
}

function acceptsConnections(bin: string, port: number): boolean {
  try {
    execFileSync(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]);
    return true;
  } catch {
    return false;
  }
}

/** Where PostgreSQL's server programs are: Debian keeps them out of everybody's PATH. */
function postgresBin(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(a) - Number(b)) : [];
  const newest = versions
    .map((version) => join(debian, version, 'bin'))
    .filter((bin) => existsSync(join(bin, 'initdb')));
  return newest.at(-1) ?? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
}

/** Whether somebody listens there. */
export function answers(address: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const end = (outcome: boolean) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
