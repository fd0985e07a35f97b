import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderHaproxyConfig, type HaproxyConfigInput } from '@ha-postgres/haproxy-config';
import { HaproxyRuntime, showInfo, showServersState, showStat, type ServerState } from '@ha-postgres/haproxy-runtime';
import { Server, eventually, freePorts } from './processes';

export interface Haproxy {
  readonly server: Server;
  readonly runtime: HaproxyRuntime;
  readonly adminAddress: string;
  readonly admin: { readonly host: string; readonly port: number };
  readonly holdAddress: string;
  readonly masterPort: number;
  readonly standbyPort: number;
  readonly replicationPort: number;
  readonly states: () => Promise<readonly ServerState[]>;
  /** Clients that wait in the queue of the master backend. */
  readonly queued: () => Promise<number>;
  readonly waitUntilUp: () => Promise<void>;
  readonly end: () => Promise<void>;
}

export async function startHaproxy(input: HaproxyConfigInput = {}): Promise<Haproxy> {
  const directory = await mkdtemp(join(tmpdir(), 'lb-syncer-haproxy-'));
  const [masterPort, standbyPort, replicationPort, admin] = (await freePorts(4)) as [number, number, number, number];
  const path = join(directory, 'haproxy.cfg');
  const holdAddress = join(directory, 'hold.sock');
  const config = renderHaproxyConfig({
    masterBind: `127.0.0.1:${masterPort}`,
    standbyBind: `127.0.0.1:${standbyPort}`,
    replicationBind: `127.0.0.1:${replicationPort}`,
    adminBind: `127.0.0.1:${admin}`,
    holdBind: holdAddress,
    userBind: null,
    standbySlots: 4,
    ...input,
  });
  await writeFile(path, config);
  const server = new Server('haproxy', ['-f', path]);
  server.start();
  const runtime = new HaproxyRuntime({ host: '127.0.0.1', port: admin }, { timeoutMs: 2000 });
  const waitUntilUp = async (): Promise<void> => {
    await eventually('HAProxy answers', () => runtime.run(showInfo()));
  };
  const end = async (): Promise<void> => {
    await server.end();
    await rm(directory, { recursive: true, force: true });
  };
  await waitUntilUp().catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return {
    server,
    runtime,
    admin: { host: '127.0.0.1', port: admin },
    adminAddress: `127.0.0.1:${admin}`,
    holdAddress,
    masterPort,
    standbyPort,
    replicationPort,
    states: () => runtime.run(showServersState()),
    queued: async () => {
      const stats = await runtime.run(showStat({ kinds: ['backend'] }));
      return Number(stats.find(({ proxy }) => proxy === 'master')?.fields.get('qcur') ?? 0);
    },
    waitUntilUp,
    end,
  };
}
