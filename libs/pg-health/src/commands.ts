import type { Queryable } from './connection-target';
import { ServerFailure } from './failure-kind';

/**
 * Asks the server to leave recovery, and does not wait: PostgreSQL's own waiting looks only every 100 ms. Poll
 * `readServerState` for `inRecovery: false`. Needs a superuser or EXECUTE on `pg_promote(boolean, integer)`.
 * @throws ServerFailure if the server is out of recovery already (SQLSTATE 55000), or did not take the request.
 */
export async function promote(connection: Queryable): Promise<void> {
  const [row] = await connection.query<{ asked: boolean }>('SELECT pg_promote(false) AS asked');
  if (row?.asked !== true) throw new ServerFailure('other', 'the server did not take the request to promote');
}

/**
 * Runs a CHECKPOINT and waits for its end, which can take minutes on a large server: give it a connection of its own,
 * since everything else on the same one waits behind it. Needs a superuser or (15 and later) role `pg_checkpoint`.
 */
export async function checkpoint(connection: Queryable, timeoutMs: number): Promise<void> {
  await connection.query('CHECKPOINT', [], { timeoutMs });
}

/**
 * Lets paused replay go on; harmless if it is not paused. Needs a superuser or EXECUTE on `pg_wal_replay_resume()`.
 * @throws ServerFailure if the server is out of recovery (SQLSTATE 55000).
 */
export async function resumeReplay(connection: Queryable): Promise<void> {
  await connection.query('SELECT pg_wal_replay_resume()');
}
