import type { Queryable } from './connection-target';
import { ServerFailure } from './failure-kind';
import { systemClock, type Clock } from './monotonic';

export interface WalReceiverStoppedOptions {
  /** How long to wait for the end of the receiver, in milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

/** The startup process may start a new receiver right after the old one's end, so one look is not enough. */
const BETWEEN_LOOKS_MS = 20;

interface ReceiverCount {
  readonly receivers: number;
  readonly may_read_all_stats: boolean;
  readonly user_name: string;
}

// Not pg_stat_wal_receiver: it is empty while a receiver connects, which may then receive and acknowledge.
const COUNT_RECEIVERS = `
SELECT count(*) FILTER (WHERE backend_type = 'walreceiver')::int AS receivers,
  pg_has_role('pg_read_all_stats', 'USAGE') AS may_read_all_stats, current_user::text AS user_name
FROM pg_stat_activity`;

/**
 * Waits until no process of type `walreceiver` is seen twice, 20 ms apart. True then; false if `limitMs` passed first.
 * The caller has made sure that none is started again: `primary_conninfo` cleared and reloaded.
 * @throws the signal's reason when aborted; ServerFailure of kind `other` if the user is not a member of `pg_monitor`,
 * or as the connection's `query` throws.
 */
export async function walReceiverStopped(connection: Queryable, options: WalReceiverStoppedOptions): Promise<boolean> {
  const { clock = systemClock } = options;
  const deadline = clock.now() + options.limitMs;
  const giveUp = new AbortController();
  const signal = options.signal === undefined ? giveUp.signal : AbortSignal.any([options.signal, giveUp.signal]);
  options.signal?.throwIfAborted();
  const outOfTime = wait(clock, options.limitMs, signal).then(() => false);
  const seenNone = lookUntilNoneTwice(connection, { clock, deadline, signal });
  try {
    return await Promise.race([seenNone, outOfTime]);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    giveUp.abort();
    // The one that lost the race ends by the abort; nobody else listens to it.
    await outOfTime.catch(() => undefined);
    seenNone.catch(() => undefined);
  }
}

interface Looking {
  readonly clock: Clock;
  readonly deadline: number;
  readonly signal: AbortSignal;
}

async function lookUntilNoneTwice(connection: Queryable, { clock, deadline, signal }: Looking): Promise<boolean> {
  let seenNoneBefore = false;
  while (clock.now() < deadline) {
    const seenNone = (await countReceivers(connection)) === 0;
    signal.throwIfAborted();
    if (seenNone && seenNoneBefore) return true;
    seenNoneBefore = seenNone;
    await wait(clock, BETWEEN_LOOKS_MS, signal);
  }
  return false;
}

/** Rejects when aborted: whoever waits here has lost the race. */
function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.cancel();
      reject(new Error('aborted'));
    };
    const timer = clock.schedule(ms, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}

async function countReceivers(connection: Queryable): Promise<number> {
  const [row] = await connection.query<ReceiverCount>(COUNT_RECEIVERS);
  if (row === undefined) throw new ServerFailure('other', 'the server did not count its WAL receivers');
  if (!row.may_read_all_stats) {
    throw new ServerFailure('other', `user ${row.user_name} cannot see the server's processes: GRANT pg_monitor TO it`);
  }
  return row.receivers;
}
