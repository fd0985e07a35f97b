import { clusterKeys, type MasterValue, type Phase, type Role } from '@ha-postgres/cluster-state';
import { opLock, type ConsulClient } from '@ha-postgres/consul-election';
import type { LabNode } from './node';

/** Who may be named as Master. */
type Named = Pick<LabNode, 'name' | 'port' | 'apiPort'>;

export const keys = clusterKeys('service/postgres');

/** What the db-controllers of the nodes would write to Consul. */
export class LabCluster {
  #term = 0;
  #beat = 0;
  session: string | null = null;

  constructor(private readonly client: ConsulClient) {}

  value(node: Named, phase: Phase = 'running', over: Partial<MasterValue> = {}): MasterValue {
    this.#beat += 1;
    return {
      node: node.name,
      host: '127.0.0.1',
      port: node.port,
      apiPort: node.apiPort,
      term: this.#term,
      beat: this.#beat,
      phase,
      timeline: 1,
      lsn: '0/3000000',
      lsnExact: false,
      released: false,
      successor: null,
      last: null,
      ...over,
    };
  }

  /** Takes the key with a session of its own, as the next Master. */
  async acquire(node: Named, phase: Phase = 'running'): Promise<void> {
    if (this.session !== null) await this.client.sessionDestroy(this.session);
    this.#term += 1;
    this.session = await this.client.sessionCreate({
      name: node.name,
      ttlMs: 60_000,
      lockDelayMs: 0,
      behavior: 'release',
    });
    await this.write(node, phase);
  }

  async write(node: Named, phase: Phase = 'running', over: Partial<MasterValue> = {}): Promise<void> {
    await this.writeText(JSON.stringify(this.value(node, phase, over)));
  }

  /** Writes anything at all as the holder. */
  async writeText(text: string): Promise<void> {
    if (this.session === null) throw new Error('acquire first');
    const result = await this.client.transaction([opLock(keys.master, text, this.session)]);
    if (!result.committed) throw new Error(JSON.stringify(result.errors));
  }

  async setRole(node: LabNode, role: Role): Promise<void> {
    node.role = role;
    await this.client.kvPut(keys.role(node.name), role);
  }

  async register(node: LabNode): Promise<void> {
    const ttl = (name: string) => ({ id: `${name}-${node.name}`, name, ttlMs: 600_000, status: 'passing' }) as const;
    await this.client.registerService({
      id: `postgres-${node.name}`,
      name: 'postgres',
      address: '127.0.0.1',
      port: node.port,
      tags: [node.role === 'Master' ? 'master' : 'replica'],
      meta: { node: node.name, apiPort: String(node.apiPort) },
      checks: [ttl('postgresAlive'), ttl('postgresStandbyReplication')],
    });
  }

  async join(node: LabNode, role: Role): Promise<void> {
    await this.setRole(node, role);
    await this.register(node);
  }

  async replication(node: LabNode, status: 'passing' | 'critical'): Promise<void> {
    await this.client.updateTtlCheck(`postgresStandbyReplication-${node.name}`, status, status);
  }
}
