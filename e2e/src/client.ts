import { openConnection, type OpenConnection } from '@ha-postgres/checker';
import type { ClusterFile } from '@ha-postgres/local-cluster';

const TIMEOUT_MS = 2_000;

/** Opens a connection as the superuser to a port of the cluster: a load balancer's, or a node's own. No two have the same. */
export function connectTo(cluster: ClusterFile, port: number, timeoutMs = TIMEOUT_MS): Promise<OpenConnection> {
  const { name: user, password } = cluster.users.superuser;
  return openConnection({ host: addressWith(cluster, port), port, user, password, database: 'postgres' }, timeoutMs);
}

/** Runs one statement on a connection of its own. @throws Error as `pg` reports it. */
export async function query<Row extends object>(
  cluster: ClusterFile,
  port: number,
  sql: string,
  timeoutMs = TIMEOUT_MS,
): Promise<Row[]> {
  const connection = await connectTo(cluster, port, timeoutMs);
  try {
    const { rows } = await connection.client.query<Row>(sql);
    return rows;
  } finally {
    connection.drop();
  }
}

function addressWith({ nodes, loadBalancers }: ClusterFile, port: number): string {
  const node = nodes.find(({ postgresPort }) => postgresPort === port);
  const lb = loadBalancers.find(({ masterPort, standbyPort }) => [masterPort, standbyPort].includes(port));
  const address = node?.address ?? lb?.address;
  if (address === undefined) throw new RangeError(`port ${port} belongs to no member of the cluster`);
  return address;
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
