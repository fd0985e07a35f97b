import { openConnection, type ClusterFile, type OpenConnection } from '@ha-postgres/local-cluster';

const TIMEOUT_MS = 2_000;

/** Opens a connection as the superuser to a port of this machine: a load balancer's, or a node's own. */
export function connectTo(cluster: ClusterFile, port: number, timeoutMs = TIMEOUT_MS): Promise<OpenConnection> {
  const { name: user, password } = cluster.users.superuser;
  return openConnection({ host: '127.0.0.1', port, user, password, database: 'postgres' }, timeoutMs);
}

/** Runs one statement on a connection of its own. @throws Error as `pg` reports it. */
export async function query<Row extends object>(cluster: ClusterFile, port: number, sql: string): Promise<Row[]> {
  const connection = await connectTo(cluster, port);
  try {
    const { rows } = await connection.client.query<Row>(sql);
    return rows;
  } finally {
    connection.drop();
  }
}

/** The node that answers at a port, by the port on which its PostgreSQL listens; null: nobody answers there. */
export async function nodeBehind(cluster: ClusterFile, port: number): Promise<string | null> {
  try {
    const [row] = await query<{ port: number }>(cluster, port, 'SELECT inet_server_port() AS port');
    return cluster.nodes.find((node) => node.postgresPort === row?.port)?.name ?? null;
  } catch {
    return null;
  }
}
