import { isAbsolute } from 'node:path';
import { defineOptions, type ConfigOf } from '@ha-postgres/service-kit';
import { settingProblems } from './postgres/settings';

export const options = defineOptions({
  node: { type: 'string', required: true, pattern: '^[A-Za-z0-9._-]{1,63}$', description: 'name of this node' },
  dataDir: {
    type: 'string',
    required: true,
    description: 'data directory of PostgreSQL (absolute); its parent must be writable',
  },
  stateDir: {
    type: 'string',
    required: true,
    description:
      'directory for what the runner must remember (absolute, outside the data directory, on the same volume)',
  },
  binDir: {
    type: 'string',
    optional: true,
    description: "directory of PostgreSQL's programs; else PATH, else Debian's newest",
  },
  user: { type: 'string', optional: true, description: 'account that PostgreSQL runs as, if the runner is root' },
  roleServerUrl: {
    type: 'string',
    default: 'http://127.0.0.1:8080',
    pattern: '^http://',
    description: "this node's role-server",
  },
  port: { type: 'port', default: 5432, description: 'port of PostgreSQL' },
  listenAddresses: { type: 'string', default: '*', description: 'addresses that PostgreSQL listens on' },
  socketDir: {
    type: 'string',
    default: '/var/run/postgresql',
    description: "directory of PostgreSQL's socket; empty for none",
  },
  systemId: {
    type: 'string',
    optional: true,
    pattern: '^[0-9]{1,20}$',
    description: 'system identifier of the cluster; data of any other is refused',
  },
  superuserName: { type: 'string', default: 'postgres', description: 'superuser of a new cluster' },
  superuserPassword: { type: 'secret', required: true, description: 'its password' },
  replicationName: { type: 'string', default: 'replicator', description: 'user that Replicas connect as' },
  replicationPassword: { type: 'secret', required: true, description: 'its password' },
  rewindName: {
    type: 'string',
    default: 'rewinder',
    description: 'user that pg_rewind reads the files of the Master as',
  },
  rewindPassword: {
    type: 'secret',
    optional: true,
    description: 'its password; without one no such user is made, and data that diverged is replaced by a base backup',
  },
  controllerName: { type: 'string', default: 'controller', description: 'user that db-controller connects as' },
  controllerPassword: { type: 'secret', optional: true, description: 'its password; without one no such user is made' },
  database: { type: 'string', optional: true, description: 'database to make in a new cluster' },
  locale: { type: 'string', default: 'C.UTF-8', description: 'locale of a new cluster' },
  initScripts: {
    type: 'string',
    optional: true,
    description: 'directory of .sh, .sql and .sql.gz files to run in a new cluster, as the official image does',
  },
  settings: { type: 'list', default: [], description: 'settings of PostgreSQL, each name=value' },
  hba: { type: 'list', default: [], description: 'lines for pg_hba.conf, before the general ones' },
  localAuth: {
    type: 'enum',
    values: ['scram-sha-256', 'peer', 'md5', 'trust'],
    default: 'scram-sha-256',
    description: 'authentication on the unix socket',
  },
  walLevel: {
    type: 'enum',
    values: ['replica', 'logical'],
    default: 'replica',
    description: 'what is written to the WAL',
  },
  walKeepSize: { type: 'size', default: '512MB', description: 'WAL that is kept for Replicas that fell behind' },
  maxSlotWalKeepSize: {
    type: 'size',
    default: '2GB',
    description:
      'WAL that is kept at most for a Replica that does not come for it; one that needs more takes a base backup',
  },
  hotStandbyFeedback: { type: 'boolean', default: false, description: "whether a Replica's queries hold back vacuum" },
  stopTimeout: {
    type: 'duration',
    default: '3s',
    minimum: '100ms',
    maximum: '4s',
    description: 'how long a clean stop of PostgreSQL may take before it is killed',
  },
});

export type Config = ConfigOf<typeof options>;

/** Problems between options. */
export function configProblems(config: Config): string[] {
  const { dataDir, stateDir, superuserName, replicationName, rewindName, controllerName } = config;
  const problems = settingProblems(config.settings);
  for (const [name, path] of Object.entries({ dataDir, stateDir })) {
    if (!isAbsolute(path)) problems.push(`${name}: ${JSON.stringify(path)} is not an absolute path`);
  }
  if (`${stateDir}/`.startsWith(`${dataDir}/`)) {
    problems.push(`stateDir: ${stateDir} lies in dataDir ${dataDir}, all of which a base backup copies to other nodes`);
  }
  if (config.maxSlotWalKeepSize < config.walKeepSize) {
    problems.push(
      `maxSlotWalKeepSize: ${config.maxSlotWalKeepSize} bytes must not be below walKeepSize, ${config.walKeepSize}: a slot would be given up while its WAL is still there`,
    );
  }
  const names = [superuserName, replicationName, rewindName, controllerName];
  if (new Set(names).size !== names.length) {
    problems.push(`superuserName, replicationName, rewindName and controllerName must differ: ${names.join(', ')}`);
  }
  for (const line of config.hba) {
    if (line.includes('\n')) problems.push(`hba: ${JSON.stringify(line)} has a line break`);
  }
  return problems;
}
