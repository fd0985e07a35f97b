import { lagBytes, latestLsn, parseLsn, ZERO_LSN, type Lsn } from '@ha-postgres/lsn';
import { sqlStateOf } from './classify-failure';
import type { Queryable } from './connection-target';
import { ServerFailure } from './failure-kind';
import type { MasterState, ReplicaState, ServerState, WalReceiver, WalSender } from './server-state';
import { STATE_QUERY, type StateRow, type WalReceiverRow, type WalSenderRow } from './state-query';

/** `object_not_in_prerequisite_state`: "recovery is not in progress", when a promotion ended in the midst of the query. */
const NOT_IN_RECOVERY = '55000';

/** What the startup process waits for once it has used up the WAL files (their names since 13). */
const WAITS_FOR_STREAM = 'RecoveryWalStream';
const WAITS_TO_LOOK_AGAIN = 'RecoveryRetrieveRetryInterval';

/**
 * Reads role, identity, timeline, positions and replication of a server in one round trip.
 *
 * The user must be a member of `pg_monitor` (or a superuser): PostgreSQL hides the type of others' processes from anyone
 * else, and "no receiver to be seen" must never be taken for "no receiver".
 * @throws ServerFailure of kind `other` if the user lacks that right, or as the connection's `query` throws.
 */
export async function readServerState(connection: Queryable): Promise<ServerState> {
  try {
    return await readOnce(connection);
  } catch (error) {
    // The server leaves recovery once at most while we ask: the second try is on the far side.
    if (sqlStateOf(error) === NOT_IN_RECOVERY) return readOnce(connection);
    throw error;
  }
}

async function readOnce(connection: Queryable): Promise<ServerState> {
  const [row] = await connection.query<StateRow>(STATE_QUERY);
  if (row === undefined) throw new ServerFailure('other', 'the server gave no row about its state');
  return toServerState(row);
}

/** Turns the row into the state. @throws ServerFailure if the user may not see the statistics of others. */
export function toServerState(row: StateRow): ServerState {
  if (!row.may_read_all_stats) {
    throw new ServerFailure('other', `user ${row.user_name} cannot see the server's processes: GRANT pg_monitor TO it`);
  }
  return row.in_recovery ? toReplicaState(row) : toMasterState(row);
}

function toMasterState(row: StateRow): MasterState {
  const flushedLsn = required(row.flushed_lsn, 'pg_current_wal_flush_lsn()');
  return {
    inRecovery: false,
    ...identity(row),
    timeline: timelineOfWalFile(row.wal_file_name),
    timelineSource: 'wal-file-name',
    position: flushedLsn,
    insertedLsn: required(row.inserted_lsn, 'pg_current_wal_insert_lsn()'),
    writtenLsn: required(row.written_lsn, 'pg_current_wal_lsn()'),
    flushedLsn,
    walWaiters: row.wal_waiters,
  };
}

function toReplicaState(row: StateRow): ReplicaState {
  const walReceiver = row.wal_receiver === null ? null : toWalReceiver(row.wal_receiver);
  const receivedLsn = optional(row.received_lsn);
  const replayedLsn = optional(row.replayed_lsn);
  const replayed = replayedLsn ?? ZERO_LSN;
  const position = latestLsn(receivedLsn ?? ZERO_LSN, replayed);
  const receivedTimeline = walReceiver?.receivedTimeline ?? null;
  return {
    inRecovery: true,
    ...identity(row),
    timeline: receivedTimeline ?? row.control_timeline,
    timelineSource: receivedTimeline === null ? 'control-data' : 'receiver',
    position,
    receivedLsn,
    replayedLsn,
    replayPaused: row.replay_paused === true,
    replayAtEnd: isReplayAtEnd(row, receivedLsn, replayed),
    replayLagBytes: lagBytes(latestLsn(position, walReceiver?.latestEndLsn ?? ZERO_LSN), replayed),
    replayLagSeconds: position === replayed ? 0 : clampToZero(row.last_replay_age),
    walReceiver,
    walReceiverBackends: row.wal_receiver_backends,
  };
}

function identity(
  row: StateRow,
): Pick<ServerState, 'systemIdentifier' | 'serverVersion' | 'synchronousStandbyNames' | 'senders'> {
  return {
    systemIdentifier: row.system_identifier,
    serverVersion: row.server_version,
    synchronousStandbyNames: row.synchronous_standby_names,
    senders: row.senders.map(toWalSender),
  };
}

function isReplayAtEnd(row: StateRow, received: Lsn | null, replayed: Lsn): boolean {
  const waitsToLookAgain = row.startup_wait_event === WAITS_TO_LOOK_AGAIN;
  // Streaming is asked for only when the WAL files are used up; before that, only the startup process knows the end.
  if (received === null) return waitsToLookAgain || row.startup_wait_event === WAITS_FOR_STREAM;
  return replayed >= received || (waitsToLookAgain && row.wal_receiver_backends === 0);
}

function toWalReceiver(row: WalReceiverRow): WalReceiver {
  return {
    pid: row.pid,
    status: row.status,
    senderHost: row.sender_host,
    senderPort: row.sender_port,
    slotName: row.slot_name,
    // 0 until the first WAL has been received.
    receivedTimeline: row.received_tli === 0 ? null : row.received_tli,
    flushedLsn: optional(row.flushed_lsn),
    latestEndLsn: optional(row.latest_end_lsn),
  };
}

function toWalSender(row: WalSenderRow): WalSender {
  return {
    pid: row.pid,
    applicationName: row.application_name ?? '',
    clientAddress: row.client_addr,
    state: row.state,
    syncState: row.sync_state,
    syncPriority: row.sync_priority ?? 0,
    sentLsn: optional(row.sent_lsn),
    writeLsn: optional(row.write_lsn),
    flushLsn: optional(row.flush_lsn),
    replayLsn: optional(row.replay_lsn),
  };
}

/** The first eight hexadecimal digits of a WAL file's name are its timeline. */
function timelineOfWalFile(name: string | null): number {
  if (name === null || !/^[0-9A-F]{24}$/.test(name)) {
    throw new ServerFailure('other', `not the name of a WAL file: ${JSON.stringify(name)}`);
  }
  return Number.parseInt(name.slice(0, 8), 16);
}

function required(lsn: string | null, source: string): Lsn {
  if (lsn === null) throw new ServerFailure('other', `${source} gave no position on a server out of recovery`);
  return parseLsn(lsn);
}

function optional(lsn: string | null): Lsn | null {
  return lsn === null ? null : parseLsn(lsn);
}

/** The age compares the Master's clock with this server's, so it can be below zero. */
function clampToZero(seconds: number | null): number | null {
  return seconds === null ? null : Math.max(0, seconds);
}
