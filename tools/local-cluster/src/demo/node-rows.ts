import { openConnection, WRITES_TABLE, type OpenConnection } from '@ha-postgres/checker';
import type { NodeStatus } from '@ha-postgres/cluster-state';
import { HaproxyRuntime, showServersState, type ServerState } from '@ha-postgres/haproxy-runtime';
import { readNodeStatus } from '../node-status';
import type { ShownNode, Whereabouts } from './shown-cluster';

/** What the table shows of a node; null: unknown. */
export interface NodeRow {
  readonly name: string;
  /** The backend of the first load balancer that leads to it. */
  readonly backend: string | null;
  /** HAProxy sends connections there. */
  readonly isEnabled: boolean;
  readonly records: number | null;
  readonly isInRecovery: boolean | null;
  readonly role: string | null;
  readonly timeline: number | null;
  readonly lagBytes: number | null;
}

const LOOK_MS = 800;

/** Asks each node's PostgreSQL and role-server, and the first load balancer's HAProxy. */
export class NodeLook {
  private readonly connections = new Map<string, OpenConnection>();

  async rows(cluster: Whereabouts): Promise<NodeRow[]> {
    const servers = await haproxyServers(cluster);
    return Promise.all(cluster.nodes.map((node) => this.row(cluster, node, servers)));
  }

  close(): void {
    for (const connection of this.connections.values()) connection.drop();
    this.connections.clear();
  }

  private async row(cluster: Whereabouts, node: ShownNode, servers: readonly ServerState[]): Promise<NodeRow> {
    const [status, answer] = await Promise.all([readNodeStatus(node.roleServerUrl, LOOK_MS), this.ask(cluster, node)]);
    return { name: node.name, ...placeOf(node, servers), ...answer, ...ofStatus(status) };
  }

  private async ask(cluster: Whereabouts, node: ShownNode): Promise<Pick<NodeRow, 'records' | 'isInRecovery'>> {
    const connection = await this.connectionTo(cluster, node);
    try {
      const sql = `SELECT pg_is_in_recovery() AS recovery, (SELECT count(*)::int FROM ${WRITES_TABLE}) AS records`;
      const result = await connection?.client.query<{ recovery: boolean; records: number }>(sql);
      const row = result?.rows[0];
      return { records: row?.records ?? null, isInRecovery: row?.recovery ?? null };
    } catch {
      connection?.drop();
      return { records: null, isInRecovery: null };
    }
  }

  private async connectionTo(cluster: Whereabouts, node: ShownNode): Promise<OpenConnection | null> {
    const open = this.connections.get(node.name);
    if (open?.isBroken() === false) return open;
    const { name: user, password } = cluster.users.superuser;
    const place = { host: node.address, port: node.postgresPort, user, password, database: 'postgres' };
    const made = await openConnection(place, LOOK_MS).catch(() => null);
    if (made === null) this.connections.delete(node.name);
    else this.connections.set(node.name, made);
    return made;
  }
}

async function haproxyServers(cluster: Whereabouts): Promise<readonly ServerState[]> {
  const lb = cluster.loadBalancers[0];
  if (lb === undefined) return [];
  const runtime = new HaproxyRuntime({ host: lb.address, port: lb.adminPort }, { timeoutMs: LOOK_MS });
  return runtime.run(showServersState()).catch(() => []);
}

function placeOf(node: ShownNode, servers: readonly ServerState[]): Pick<NodeRow, 'backend' | 'isEnabled'> {
  const place = node.routedTo === undefined ? { address: node.address, port: node.postgresPort } : node.routedTo;
  const server = servers.find(
    ({ address, port, adminState }) =>
      place !== null && address === place.address && port === place.port && !adminState.isMaint,
  );
  return { backend: server?.backend ?? null, isEnabled: server?.operationalState === 'running' };
}

function ofStatus(status: NodeStatus | null): Pick<NodeRow, 'role' | 'timeline' | 'lagBytes'> {
  return { role: status?.role ?? null, timeline: status?.timeline ?? null, lagBytes: status?.lagBytes ?? null };
}
