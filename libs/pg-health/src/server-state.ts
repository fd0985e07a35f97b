import type { Lsn } from '@ha-postgres/lsn';

/**
 * Where a timeline number was read. `wal-file-name` and `receiver` are exact; `control-data` may be behind: until its
 * next restartpoint a Replica that follows a new timeline still has the old one in `pg_control`.
 */
export type TimelineSource = 'wal-file-name' | 'receiver' | 'control-data';

/** A row of `pg_stat_replication`: a process that sends WAL to a standby (or to `pg_basebackup`). */
export interface WalSender {
  readonly pid: number;
  readonly applicationName: string;
  readonly clientAddress: string | null;
  /** `startup`, `catchup`, `streaming`, `backup` or `stopping`. */
  readonly state: string | null;
  /** `async`, `potential`, `sync` or `quorum`. */
  readonly syncState: string | null;
  /**
   * As the sending process itself has set it from `synchronous_standby_names` when it last read that; 0: it is no synchronous
   * standby to it, and what it confirms releases no commit.
   */
  readonly syncPriority: number;
  readonly sentLsn: Lsn | null;
  readonly writeLsn: Lsn | null;
  readonly flushLsn: Lsn | null;
  readonly replayLsn: Lsn | null;
}

/** The row of `pg_stat_wal_receiver`. There is none while a receiver is still connecting. */
export interface WalReceiver {
  readonly pid: number;
  /** `streaming` when WAL flows; else `starting`, `waiting`, `restarting`, `stopping`, `stopped`. */
  readonly status: string;
  readonly senderHost: string | null;
  readonly senderPort: number | null;
  readonly slotName: string | null;
  readonly receivedTimeline: number | null;
  readonly flushedLsn: Lsn | null;
  /** The sender's own position, as it last reported it. */
  readonly latestEndLsn: Lsn | null;
}

interface CommonState {
  /** `system_identifier` of the cluster: decimal, beyond the range of a number. */
  readonly systemIdentifier: string;
  /** As `server_version_num`: 150018 is 15.18. */
  readonly serverVersion: number;
  /** The setting as the asking session has read it. The postmaster has read it before, and has told every process. */
  readonly synchronousStandbyNames: string;
  readonly timeline: number;
  readonly timelineSource: TimelineSource;
  /**
   * How far this server's WAL reaches on disk: on a Master what is flushed, on a Replica the greater of received and
   * replayed (one that never streamed since its start has received nothing and still replays files; one that begins
   * to stream counts from the start of a segment, behind what it has replayed).
   */
  readonly position: Lsn;
  readonly senders: readonly WalSender[];
}

/** A server out of recovery: it can take writes. */
export interface MasterState extends CommonState {
  readonly inRecovery: false;
  readonly insertedLsn: Lsn;
  readonly writtenLsn: Lsn;
  readonly flushedLsn: Lsn;
  /** How many of the server's processes wait at this moment until WAL is written to disk. */
  readonly walWaiters: number;
}

/** A server in recovery: it replays WAL and takes no writes. */
export interface ReplicaState extends CommonState {
  readonly inRecovery: true;
  /** What was received by streaming *and flushed*; null if it never streamed since its start. */
  readonly receivedLsn: Lsn | null;
  readonly replayedLsn: Lsn | null;
  readonly replayPaused: boolean;
  /**
   * Whether all WAL has been replayed and `position` is its end; lasting only while no receiver runs. True when the
   * received position is replayed, or when the startup process has found no more: WAL received up to the middle of a
   * record, as a killed Master leaves it, is never replayed to its last byte, so comparing positions may wait for ever.
   * In that case it may be early by one `wal_retrieve_retry_interval` after a receiver's end (PostgreSQL sleeps before
   * it reads the files again); `position` holds what was received all the same.
   */
  readonly replayAtEnd: boolean;
  /** Bytes between what is known of the sender's position (or was received) and what is replayed. */
  readonly replayLagBytes: number;
  /** Age of the last replayed commit in seconds; 0 when all received is replayed, null if nothing was replayed yet. */
  readonly replayLagSeconds: number | null;
  readonly walReceiver: WalReceiver | null;
  /**
   * Number of processes of type `walreceiver`, also one that is still connecting and has no `walReceiver` row. Zero is
   * the only proof that nothing more is received or acknowledged.
   */
  readonly walReceiverBackends: number;
}

export type ServerState = MasterState | ReplicaState;
