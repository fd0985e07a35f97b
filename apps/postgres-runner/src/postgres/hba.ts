import type { Admits } from '@ha-postgres/cluster-state';
import { hbaName } from './quoting';

export interface HbaSource {
  readonly superuserName: string;
  readonly replicationName: string;
  readonly rewindName: string;
  readonly controllerName: string;
  readonly localAuth: string;
  /** The user's lines, after the ones that failover depends on and before the general ones. */
  readonly hba: readonly string[];
}

/**
 * pg_hba.conf: passwords by scram-sha-256 everywhere; replication by its own user only. The first line that matches decides.
 * Where only `replication` is admitted, clients are told so by PostgreSQL's own words for a rejected connection.
 */
export function hbaText(source: HbaSource, admits: Admits = 'everyone'): string {
  const replication = hbaName(source.replicationName);
  const controller = hbaName(source.controllerName);
  return [
    '# Written by postgres-runner at every start; add lines by its option hba.',
    `local all ${controller} scram-sha-256`,
    `host all ${controller} 127.0.0.1/32 scram-sha-256`,
    `host all ${controller} ::1/128 scram-sha-256`,
    `host replication ${replication} all scram-sha-256`,
    `host postgres ${hbaName(source.rewindName)} all scram-sha-256`,
    ...(admits === 'replication'
      ? ['local all all reject', 'host all all all reject']
      : [...source.hba, `local all all ${source.localAuth}`, 'host all all all scram-sha-256']),
    '',
  ].join('\n');
}
