import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsulClient, silentLog } from '@ha-postgres/consul-election';
import { Server, eventually, freePorts } from './processes';

export interface Consul {
  readonly server: Server;
  readonly address: string;
  readonly client: ConsulClient;
  readonly waitForLeader: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** One Consul server. On disk it may be restarted; in memory its writes cost no disk (which some machines take 5 ms for). */
export async function startConsul(storage: 'disk' | 'memory' = 'disk'): Promise<Consul> {
  const directory = await mkdtemp(join(tmpdir(), 'lb-syncer-consul-'));
  const [http, rpc, serf, wan] = (await freePorts(4)) as [number, number, number, number];
  const config = {
    server: true,
    ...(storage === 'disk' ? { bootstrap_expect: 1, data_dir: join(directory, 'data') } : {}),
    bind_addr: '127.0.0.1',
    client_addr: '127.0.0.1',
    node_name: 'lab',
    ports: { http, server: rpc, serf_lan: serf, serf_wan: wan, dns: -1, grpc: -1 },
    performance: { raft_multiplier: 1 },
    disable_update_check: true,
    log_level: 'warn',
  };
  await writeFile(join(directory, 'consul.json'), JSON.stringify(config));
  const server = new Server('consul', [
    'agent',
    ...(storage === 'memory' ? ['-dev'] : []),
    '-config-file',
    join(directory, 'consul.json'),
  ]);
  server.start();
  const address = `127.0.0.1:${http}`;
  const client = new ConsulClient({ address, requestTimeoutMs: 3000 }, { log: silentLog });
  const waitForLeader = async (): Promise<void> => {
    // A leader alone is not enough: the catalog knows the node a moment later, and sessions belong to a node.
    await eventually('Consul takes sessions', async () => {
      const id = await client.sessionCreate({ name: 'ready?', ttlMs: 10_000, lockDelayMs: 0, behavior: 'delete' });
      await client.sessionDestroy(id);
      return true;
    });
  };
  const end = async (): Promise<void> => {
    client.close();
    await server.end();
    await rm(directory, { recursive: true, force: true });
  };
  await waitForLeader().catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return { server, address, client, waitForLeader, end };
}
