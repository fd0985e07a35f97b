/** What of the configuration the settings that the runner owns are made of. */
export interface SettingsSource {
  readonly node: string;
  readonly port: number;
  readonly listenAddresses: string;
  readonly socketDir: string;
  readonly walLevel: string;
  /** Bytes. */
  readonly walKeepSize: number;
  /** Bytes. */
  readonly maxSlotWalKeepSize: number;
  readonly hotStandbyFeedback: boolean;
}

const MEGABYTE = 2 ** 20;

/**
 * Settings that the failover protocol stands on. They go on the command line, which neither a file nor ALTER SYSTEM
 * overrides. What each is for stands beside it, or in docs/ARCHITECTURE.md.
 */
export function ownedSettings(source: SettingsSource, files: { readonly config: string; readonly hba: string }) {
  return {
    config_file: files.config,
    hba_file: files.hba,
    cluster_name: source.node,
    port: String(source.port),
    listen_addresses: source.listenAddresses,
    unix_socket_directories: source.socketDir,
    // A crashed backend ends the postmaster and the runner decides: PostgreSQL's own restart shows unreplicated commits.
    restart_after_crash: 'off',
    wal_level: source.walLevel,
    hot_standby: 'on',
    wal_log_hints: 'on',
    full_page_writes: 'on',
    fsync: 'on',
    wal_keep_size: `${Math.ceil(source.walKeepSize / MEGABYTE)}MB`,
    // A Replica that never comes back must not fill the Master's disk.
    max_slot_wal_keep_size: `${Math.ceil(source.maxSlotWalKeepSize / MEGABYTE)}MB`,
    max_wal_senders: '20',
    max_replication_slots: '20',
    // A standby looks for its upstream again after this, 5 s by default.
    wal_retrieve_retry_interval: '500ms',
    wal_receiver_timeout: '5s',
    wal_sender_timeout: '5s',
    wal_receiver_status_interval: '1s',
    hot_standby_feedback: source.hotStandbyFeedback ? 'on' : 'off',
    tcp_user_timeout: '5000',
    tcp_keepalives_idle: '2',
    tcp_keepalives_interval: '1',
    tcp_keepalives_count: '3',
    superuser_reserved_connections: '5',
    password_encryption: 'scram-sha-256',
    recovery_target_timeline: 'latest',
    // A vote counts only when all that was received has been replayed.
    recovery_min_apply_delay: '0',
    // The lines are read from standard error, and their severity is told by the English word.
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: LOG_LINE_PREFIX,
    lc_messages: 'C',
  } as const satisfies Record<string, string>;
}

/** Process, user, database, application name, SQLSTATE; see `log-lines.ts`. */
export const LOG_LINE_PREFIX = '<%p|%u|%d|%e> ';

/** Tells whom the pg_hba.conf that was written together with it lets in: a session that shows it has been started after, or told to read. */
export const ADMITS_SETTING = 'ha_postgres.admits';

/** Settings that the runner writes into its configuration file, because they change while PostgreSQL runs. */
const WRITTEN = [
  'primary_conninfo',
  'primary_slot_name',
  'promote_trigger_file',
  'data_directory',
  'restore_command',
  'synchronous_standby_names',
  ADMITS_SETTING,
];
/** With one of these a standby would end its recovery by itself. */
const RECOVERY_TARGETS = /^recovery_target(?!_timeline$)/;
/** Owned, but a choice of the user within what the protocol allows goes by an option of its own. */
const OWN_OPTION: Readonly<Record<string, string>> = {
  wal_level: 'walLevel',
  port: 'port',
  listen_addresses: 'listenAddresses',
  unix_socket_directories: 'socketDir',
  wal_keep_size: 'walKeepSize',
  max_slot_wal_keep_size: 'maxSlotWalKeepSize',
  hot_standby_feedback: 'hotStandbyFeedback',
  hba_file: 'hba',
};

const OWNED = new Set(
  Object.keys(
    ownedSettings(
      {
        node: '',
        port: 0,
        listenAddresses: '',
        socketDir: '',
        walLevel: '',
        walKeepSize: 0,
        maxSlotWalKeepSize: 0,
        hotStandbyFeedback: false,
      },
      { config: '', hba: '' },
    ),
  ),
);

export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** Whether a setting of postgresql.auto.conf would take the upstream, or the end of recovery, out of the runner's hands. */
export function isRunnersOwn(name: string): boolean {
  return WRITTEN.includes(name.toLowerCase()) || RECOVERY_TARGETS.test(name.toLowerCase());
}

/** Reads `name=value`; null if it is not one. */
export function parseSetting(text: string): Setting | null {
  const [, name, value] = /^\s*([A-Za-z_][\w.]*)\s*=\s*(.*?)\s*$/s.exec(text) ?? [];
  return name === undefined || value === undefined ? null : { name, value };
}

/** What is wrong with the user's settings, one sentence each. */
export function settingProblems(settings: readonly string[]): string[] {
  return settings.flatMap((text) => {
    const setting = parseSetting(text);
    if (setting === null) return [`settings: ${JSON.stringify(text)} is not of the form name=value`];
    const name = setting.name.toLowerCase();
    if (OWNED.has(name) || isRunnersOwn(name)) {
      const option = OWN_OPTION[name];
      const instead = option === undefined ? '' : `; use the option ${option}`;
      return [`settings: ${JSON.stringify(text)}: failover depends on ${name}, which the runner sets itself${instead}`];
    }
    return [];
  });
}
