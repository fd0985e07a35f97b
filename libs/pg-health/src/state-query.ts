/** The one row that `STATE_QUERY` gives. Positions are text, as `pg_lsn` prints them. */
export interface StateRow {
  readonly in_recovery: boolean;
  readonly user_name: string;
  readonly may_read_all_stats: boolean;
  readonly server_version: number;
  readonly system_identifier: string;
  readonly synchronous_standby_names: string;
  readonly wal_file_name: string | null;
  readonly control_timeline: number;
  readonly inserted_lsn: string | null;
  readonly written_lsn: string | null;
  readonly flushed_lsn: string | null;
  readonly received_lsn: string | null;
  readonly replayed_lsn: string | null;
  readonly replay_paused: boolean | null;
  readonly last_replay_age: number | null;
  readonly startup_wait_event: string | null;
  readonly wal_waiters: number;
  readonly wal_receiver_backends: number;
  readonly wal_receiver: WalReceiverRow | null;
  readonly senders: readonly WalSenderRow[];
}

export interface WalReceiverRow {
  readonly pid: number;
  readonly status: string;
  readonly sender_host: string | null;
  readonly sender_port: number | null;
  readonly slot_name: string | null;
  readonly received_tli: number | null;
  readonly flushed_lsn: string | null;
  readonly latest_end_lsn: string | null;
}

export interface WalSenderRow {
  readonly pid: number;
  readonly application_name: string | null;
  readonly client_addr: string | null;
  readonly state: string | null;
  readonly sync_state: string | null;
  readonly sync_priority: number | null;
  readonly sent_lsn: string | null;
  readonly write_lsn: string | null;
  readonly flush_lsn: string | null;
  readonly replay_lsn: string | null;
}

/**
 * Everything in one round trip, on PostgreSQL 13–18, on either side of recovery. Functions that fail on the other side
 * stand behind CASE, which PostgreSQL does not evaluate early for volatile functions; `mode` is materialized so that a
 * promotion in the midst cannot give half of each side.
 *
 * The timeline in control data is the greater of the last checkpoint's and that of the minimum recovery point, which is
 * the younger one while a Replica follows a new timeline.
 *
 * Names of wait events: WALSync until PostgreSQL 16, WalSync since; WALWrite is also the lock that others wait for meanwhile.
 */
export const STATE_QUERY = `
WITH mode AS MATERIALIZED (SELECT pg_is_in_recovery() AS in_recovery),
activity AS MATERIALIZED (SELECT backend_type, wait_event FROM pg_stat_activity)
SELECT in_recovery,
  current_user::text AS user_name,
  pg_has_role('pg_read_all_stats', 'USAGE') AS may_read_all_stats,
  current_setting('server_version_num')::int AS server_version,
  current_setting('synchronous_standby_names') AS synchronous_standby_names,
  (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
  CASE WHEN NOT in_recovery THEN pg_walfile_name(pg_current_wal_lsn()) END AS wal_file_name,
  greatest((SELECT timeline_id FROM pg_control_checkpoint()),
           (SELECT min_recovery_end_timeline FROM pg_control_recovery())) AS control_timeline,
  CASE WHEN NOT in_recovery THEN pg_current_wal_insert_lsn() END::text AS inserted_lsn,
  CASE WHEN NOT in_recovery THEN pg_current_wal_lsn() END::text AS written_lsn,
  CASE WHEN NOT in_recovery THEN pg_current_wal_flush_lsn() END::text AS flushed_lsn,
  CASE WHEN in_recovery THEN pg_last_wal_receive_lsn() END::text AS received_lsn,
  CASE WHEN in_recovery THEN pg_last_wal_replay_lsn() END::text AS replayed_lsn,
  CASE WHEN in_recovery THEN pg_is_wal_replay_paused() END AS replay_paused,
  CASE WHEN in_recovery THEN
    extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END AS last_replay_age,
  (SELECT wait_event FROM activity WHERE backend_type = 'startup' LIMIT 1) AS startup_wait_event,
  (SELECT count(*)::int FROM activity WHERE backend_type = 'walreceiver') AS wal_receiver_backends,
  (SELECT count(*)::int FROM activity
     WHERE lower(wait_event) IN ('walwrite', 'walsync', 'walinitwrite', 'walinitsync')) AS wal_waiters,
  (SELECT row_to_json(receiver) FROM (
     SELECT pid, status, sender_host, sender_port, slot_name, received_tli,
            flushed_lsn::text, latest_end_lsn::text
     FROM pg_stat_wal_receiver) receiver LIMIT 1) AS wal_receiver,
  (SELECT coalesce(json_agg(sender ORDER BY sender.application_name, sender.pid), '[]') FROM (
     SELECT pid, application_name, host(client_addr) AS client_addr, state, sync_state, sync_priority,
            sent_lsn::text, write_lsn::text, flush_lsn::text, replay_lsn::text
     FROM pg_stat_replication) sender) AS senders
FROM mode`;
