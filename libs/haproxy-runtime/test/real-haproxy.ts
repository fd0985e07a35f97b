import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HaproxyRuntime } from '../src';

/** Polls until `check` gives something else than undefined or false; at most 10 s. */
export async function until<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
  const giveUpAt = process.hrtime.bigint() + 10_000_000_000n;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (process.hrtime.bigint() > giveUpAt) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

/** Ports that are free now; all held until all are known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map(listen));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A server that takes connections and stays silent. */
export interface Target {
  readonly port: number;
  readonly connections: () => number;
  readonly stop: () => Promise<void>;
}

export async function startTarget(): Promise<Target> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  const port = await listen(server);
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, connections: () => sockets.size, stop };
}

export interface RealHaproxy {
  readonly admin: HaproxyRuntime;
  readonly adminOverTcp: HaproxyRuntime;
  readonly user: HaproxyRuntime;
  readonly adminSocket: string;
  readonly mapFile: string;
  readonly aclFile: string;
  readonly masterPort: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const configuration = (dir: string, adminPort: number, masterPort: number, standbyPort: number): string => `
global
  stats socket ipv4@127.0.0.1:${adminPort} level admin
  stats socket ${dir}/admin.sock level admin
  stats socket ${dir}/user.sock level user
defaults
  mode tcp
  timeout connect 1s
  timeout client 1m
  timeout server 1m
listen master
  bind 127.0.0.1:${masterPort}
  tcp-request connection set-var(sess.place) src,map(${dir}/places.map,nowhere)
  tcp-request connection reject if { src -f ${dir}/blocked.acl }
  stick-table type string len 20 size 100 expire 10m store gpc0,conn_cur,http_req_rate(10s)
  option httpchk GET /
  server master0 127.0.0.1:9 check port 9 inter 1h disabled
  server master1 127.0.0.1:9 weight 10
listen standby
  bind 127.0.0.1:${standbyPort}
  balance leastconn
  stick-table type ip size 10 store conn_cnt
  server standby0 127.0.0.1:9 disabled
`;

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

/** HAProxy in the foreground, in a directory of its own; ready for commands when this resolves. */
export async function startHaproxy(): Promise<RealHaproxy> {
  const dir = await mkdtemp(join(tmpdir(), 'haproxy-runtime-'));
  const [adminPort = 0, masterPort = 0, standbyPort = 0] = await freePorts(3);
  const [mapFile, aclFile] = [join(dir, 'places.map'), join(dir, 'blocked.acl')];
  await writeFile(mapFile, '10.0.0.1 one\n');
  await writeFile(aclFile, '10.9.9.9\n');
  await writeFile(join(dir, 'haproxy.cfg'), configuration(dir, adminPort, masterPort, standbyPort));

  const child = spawn('haproxy', ['-db', '-f', join(dir, 'haproxy.cfg')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  const spawned = new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const stop = async (): Promise<void> => {
    await stopProcess(child);
    await rm(dir, { recursive: true, force: true });
  };
  const adminSocket = join(dir, 'admin.sock');
  const admin = new HaproxyRuntime({ path: adminSocket });
  try {
    await spawned;
    await until('HAProxy takes commands', async () => {
      if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}: ${log}`);
      return admin.batch([{ line: 'show version', kind: 'query' }]).catch(() => undefined);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    admin,
    adminOverTcp: new HaproxyRuntime({ host: '127.0.0.1', port: adminPort }),
    user: new HaproxyRuntime({ path: join(dir, 'user.sock') }),
    adminSocket,
    mapFile,
    aclFile,
    masterPort,
    pid: child.pid ?? 0,
    stop,
  };
}
