import type { ClusterFile } from '@ha-postgres/local-cluster';
import { monotonicNow, type Millis } from '@ha-postgres/service-kit';
import { connectTo, query } from './client';

const SECONDS = 5;
const TIMEOUT_MS = 30_000;

/** How a function that ends in a commit ended for its client. */
export interface Ending {
  readonly isAcknowledged: boolean;
  readonly at: Millis;
}

export async function makeSlowTables(cluster: ClusterFile, port: number): Promise<void> {
  await query(
    cluster,
    port,
    'CREATE TABLE IF NOT EXISTS slow_output (line text); CREATE TABLE IF NOT EXISTS slow_commits (id int)',
  );
}

/**
 * A backend that runs for 5 s, then inserts and commits. It waits for a program: in `pg_sleep` a backend notices by itself
 * that its postmaster is gone, and ends; in this one it goes on and commits (tried on PostgreSQL 15).
 */
export async function slowFunction(cluster: ClusterFile, port: number, id: number): Promise<Ending> {
  const connection = await connectTo(cluster, port, TIMEOUT_MS);
  const steps = `COPY slow_output FROM PROGRAM 'sleep ${SECONDS}'; INSERT INTO slow_commits VALUES (${id});`;
  const isAcknowledged = await connection.client.query(`DO $$ BEGIN ${steps} END $$`).then(
    () => true,
    () => false,
  );
  connection.drop();
  return { isAcknowledged, at: monotonicNow() };
}

/** How many of them run on a node now. */
export async function slowFunctionsRunning(cluster: ClusterFile, port: number): Promise<number> {
  const rows = await query<{ pid: number }>(
    cluster,
    port,
    `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO $$ BEGIN COPY slow_output%'`,
  );
  return rows.length;
}
