import type { OpenConnection } from '@ha-postgres/checker';
import type { ClusterFile } from '@ha-postgres/local-cluster';
import { connectTo } from './client';

/** A connection that is held without being used, as in an application's pool, and the node at its other end. */
export interface HeldConnection {
  readonly node: string;
  readonly connection: OpenConnection;
}

/**
 * Opens connections to a port one after the other and keeps them.
 * @throws Error if one cannot be opened; those before it are closed then.
 */
export async function holdConnections(cluster: ClusterFile, port: number, count: number): Promise<HeldConnection[]> {
  const held: HeldConnection[] = [];
  try {
    while (held.length < count) held.push(await holdOne(cluster, port));
    return held;
  } catch (error) {
    dropAll(held);
    throw error;
  }
}

/** The names of the nodes of the connections that are still open. */
export function stillOpen(held: readonly HeldConnection[]): string[] {
  return held.filter(({ connection }) => !connection.isBroken()).map(({ node }) => node);
}

export function dropAll(held: readonly HeldConnection[]): void {
  for (const { connection } of held) connection.drop();
}

async function holdOne(cluster: ClusterFile, port: number): Promise<HeldConnection> {
  const connection = await connectTo(cluster, port);
  const { rows } = await connection.client.query<{ port: number }>('SELECT inet_server_port() AS port');
  const node = cluster.nodes.find(({ postgresPort }) => postgresPort === rows[0]?.port)?.name;
  if (node === undefined)
    throw new Error(`port ${port} leads to no node of the cluster but to ${JSON.stringify(rows)}`);
  return { node, connection };
}
