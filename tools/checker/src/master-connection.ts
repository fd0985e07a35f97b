import { monotonicNow, pause } from '@ha-postgres/service-kit';
import { openConnection, type ConnectionPlace, type OpenConnection } from './connection';

const LOOK_AGAIN_MS = 20;

export interface MasterPatience {
  /** How long is tried, in milliseconds. */
  readonly patienceMs: number;
  /** How long connecting, and each statement, may take in one try. */
  readonly statementMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Does some work on the Master, by the first of several ways that leads there; tries all of them again and again.
 * @throws Error with the last failure in `cause` if it was not done in time.
 */
export async function onMaster<T>(
  ways: readonly ConnectionPlace[],
  { patienceMs, statementMs, signal }: MasterPatience,
  work: (connection: OpenConnection) => Promise<T>,
): Promise<T> {
  const deadline = monotonicNow() + patienceMs;
  let last: unknown = new Error('no address of a master port was given');
  do {
    for (const way of ways) {
      signal?.throwIfAborted();
      try {
        return await once(way, statementMs, work);
      } catch (error) {
        last = error;
      }
    }
    await pause(LOOK_AGAIN_MS, signal);
  } while (monotonicNow() < deadline);
  throw new Error(`no Master in ${patienceMs} ms: ${(last as Error).message}`, { cause: last });
}

async function once<T>(
  way: ConnectionPlace,
  statementMs: number,
  work: (connection: OpenConnection) => Promise<T>,
): Promise<T> {
  const connection = await openConnection(way, statementMs);
  try {
    return await work(connection);
  } finally {
    connection.drop();
  }
}
