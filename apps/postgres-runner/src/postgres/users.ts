import { sqlName, sqlText } from './quoting';

export interface UsersSource {
  readonly replicationName: string;
  readonly replicationPassword: string;
  readonly rewindName: string;
  readonly rewindPassword: string | undefined;
  readonly controllerName: string;
  readonly controllerPassword: string | undefined;
}

/** What pg_rewind needs of its source without a superuser. Source: PostgreSQL's manual, pg_rewind, "Notes". */
const REWIND_FUNCTIONS = [
  'pg_ls_dir(text, boolean, boolean)',
  'pg_stat_file(text, boolean)',
  'pg_read_binary_file(text)',
  'pg_read_binary_file(text, bigint, bigint, boolean)',
];

/** What the controller does besides looking (`pg_monitor`). Granted in the database postgres, to which it connects. */
const CONTROLLER_FUNCTIONS = [
  'pg_promote(boolean, integer)',
  'pg_wal_replay_resume()',
  'pg_reload_conf()',
  'pg_switch_wal()',
];

/** Role `pg_checkpoint` exists from 15 on; before it CHECKPOINT needs a superuser. */
const CHECKPOINT_ROLE_SINCE = 15;
/** `reserved_connections` and its role exist from 16 on. */
const RESERVED_CONNECTIONS_SINCE = 16;

function controllerSql(name: string, password: string, major: number): string[] {
  const role = sqlName(name);
  const isSuperuser = major < CHECKPOINT_ROLE_SINCE;
  return [
    // Replication slots are made and dropped by roles with REPLICATION; pg_hba.conf lets this one connect to databases only.
    `CREATE ROLE ${role} LOGIN ${isSuperuser ? 'SUPERUSER' : 'REPLICATION'} PASSWORD ${sqlText(password)};`,
    `GRANT pg_monitor TO ${role};`,
    ...(isSuperuser ? [] : [`GRANT pg_checkpoint TO ${role};`]),
    ...(major >= RESERVED_CONNECTIONS_SINCE ? [`GRANT pg_use_reserved_connections TO ${role};`] : []),
    ...CONTROLLER_FUNCTIONS.map((name) => `GRANT EXECUTE ON FUNCTION pg_catalog.${name} TO ${role};`),
    // pg_read_all_stats does not cover signalling; needed to end sessions of Replicas that left the synchronous set.
    `GRANT pg_signal_backend TO ${role};`,
  ];
}

function rewindSql(name: string, password: string, major: number): string[] {
  const role = sqlName(name);
  return [
    `CREATE ROLE ${role} LOGIN PASSWORD ${sqlText(password)};`,
    ...REWIND_FUNCTIONS.map((signature) => `GRANT EXECUTE ON FUNCTION pg_catalog.${signature} TO ${role};`),
    // A Master must have completed a checkpoint since its promotion before anything can be rewound to it.
    ...(major < CHECKPOINT_ROLE_SINCE ? [] : [`GRANT pg_checkpoint TO ${role};`]),
  ];
}

/** The roles of a new cluster, as SQL for the database postgres. */
export function usersSql(source: UsersSource, major: number): string {
  const replication = sqlName(source.replicationName);
  return [
    `CREATE ROLE ${replication} LOGIN REPLICATION PASSWORD ${sqlText(source.replicationPassword)};`,
    ...(source.rewindPassword === undefined ? [] : rewindSql(source.rewindName, source.rewindPassword, major)),
    ...(source.controllerPassword === undefined
      ? []
      : controllerSql(source.controllerName, source.controllerPassword, major)),
  ].join('\n');
}
