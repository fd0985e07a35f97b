import type { Client } from 'pg';
import { timelineOfWalFile } from './timeline';
import type { Server, StoredRange } from './history';
import { rangesOf } from './stored';

/** Append-only, and without a key: were a row inserted twice, it is to be seen. */
export const WRITES_TABLE = 'ha_postgres_checker';

/** What the server says of itself; the timeline stands in the name of its WAL file, also before its first checkpoint. */
const SERVER = `host(inet_server_addr()) AS host, inet_server_port() AS port,
  extract(epoch FROM pg_postmaster_start_time())::text AS started, pg_walfile_name(pg_current_wal_insert_lsn()) AS wal`;

interface ServerRow {
  readonly host: string | null;
  readonly port: number | null;
  readonly started: string;
  readonly wal: string;
}

export async function makeWritesTable(client: Client): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_tables WHERE tablename = $1', [WRITES_TABLE]);
  if (rowCount !== 0) return;
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${WRITES_TABLE} (run text NOT NULL, id bigint NOT NULL, writer text NOT NULL)`,
  );
}

/**
 * One write in a transaction of its own; resolves with who acknowledged it.
 * @throws Error as `pg` reports it.
 */
export async function insertWrite(client: Client, run: string, id: number, writer: string): Promise<Server> {
  const { rows } = await client.query<ServerRow>({
    name: 'write',
    text: `INSERT INTO ${WRITES_TABLE} (run, id, writer) VALUES ($1, $2, $3) RETURNING ${SERVER}`,
    values: [run, id, writer],
  });
  return serverIn(rows[0]);
}

/** All writes of a run, and whose table that is. @throws Error as `pg` reports it, also when the server is a standby. */
export async function readWrites(client: Client, run: string): Promise<{ by: Server; ranges: StoredRange[] }> {
  const server = await client.query<ServerRow>(`SELECT ${SERVER}`);
  const text = `SELECT id, count(*)::int AS times FROM ${WRITES_TABLE} WHERE run = $1 GROUP BY id ORDER BY id`;
  const { rows } = await client.query<{ id: string; times: number }>(text, [run]);
  return { by: serverIn(server.rows[0]), ranges: rangesOf(rows.map(({ id, times }) => [Number(id), times] as const)) };
}

/**
 * How many sessions of this name have committed and wait for their Replicas. A client that went away does not end
 * that wait, and its connection stays taken.
 */
export async function commitsWaiting(client: Client, applicationName: string): Promise<number> {
  const text = `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'SyncRep'`;
  const { rows } = await client.query<{ waiting: number }>(text, [applicationName]);
  return rows[0]?.waiting ?? 0;
}

function serverIn(row: ServerRow | undefined): Server {
  if (row === undefined) throw new Error('PostgreSQL answered no row');
  const { host, port, started, wal } = row;
  const address = host === null || port === null ? null : `${host}:${port}`;
  return { address, startedAt: started, timeline: timelineOfWalFile(wal) };
}
