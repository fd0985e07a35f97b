import { Socket } from 'node:net';
import { monotonicNow, type Millis } from '@ha-postgres/service-kit';
import { Client } from 'pg';

export interface ConnectionPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** What `pg_stat_activity` shows; `ha-postgres-checker` if absent. */
  readonly applicationName?: string;
}

/** A connection that can be dropped at once, also while the server is silent. */
export interface OpenConnection {
  readonly client: Client;
  readonly openedAt: Millis;
  /** True once the server or the way to it has closed it. */
  isBroken(): boolean;
  drop(): void;
}

/**
 * Opens a connection; connecting and every statement end after `timeoutMs`, on both sides.
 * @throws Error as `pg` reports it.
 */
export async function openConnection(place: ConnectionPlace, timeoutMs: number): Promise<OpenConnection> {
  const { applicationName = 'ha-postgres-checker', ...where } = place;
  const socket = new Socket();
  let isBroken = false;
  const client = new Client({
    ...where,
    stream: () => socket,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    statement_timeout: timeoutMs,
    application_name: applicationName,
  });
  const drop = () => {
    isBroken = true;
    socket.destroy();
  };
  client.on('error', drop);
  client.on('end', () => (isBroken = true));
  try {
    await client.connect();
  } catch (error) {
    drop();
    throw error;
  }
  return { client, openedAt: monotonicNow(), isBroken: () => isBroken, drop };
}
