import { currentRule, isBarred, standbyNames, syncOf } from '@ha-postgres/failover';
import { errors } from '../errors';
import type { Parts } from '../parts';

interface Shown {
  readonly names: string;
  readonly admits: string | null;
}

// A session of PostgreSQL has read what the postmaster was told to read when it answers this; so have those that come after.
const SHOW = `SELECT current_setting('synchronous_standby_names') AS names, current_setting('ha_postgres.admits', true) AS admits`;
const END_CLIENTS = `SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND r.rolname <> current_user AND NOT r.rolsuper`;

/**
 * Asserted right before a promotion: the server shows the synchronous rule that the key tells, and lets in nobody but Replicas where
 * clients must wait. Those who came while it was a standby are sent away then.
 * @throws CodedError HAPG_SETTINGS_NOT_IN_PLACE if it does not (yet).
 */
export async function assertSettings(
  { consul, disk, policy, self, facts, postgres }: Parts,
  term: number,
): Promise<void> {
  const { hold } = facts;
  if (hold === null) return;
  const seen = { sync: consul.sync, disk: disk.record, policy, self };
  const value = syncOf(seen);
  if (value === null) return;
  if (value?.term !== term)
    throw errors.HAPG_SETTINGS_NOT_IN_PLACE(`term ${term}: the synchronous rule is not its own`);
  const admits = isBarred(seen, hold.view) ? 'replication' : 'everyone';
  const names = standbyNames(currentRule(value));
  const [shown] = await postgres.connection.query<Shown>(SHOW);
  if (shown?.names !== names || shown.admits !== admits) {
    throw errors.HAPG_SETTINGS_NOT_IN_PLACE(
      `term ${term}: PostgreSQL shows ${JSON.stringify(shown)}, and should show ${JSON.stringify({ names, admits })}`,
    );
  }
  if (admits === 'replication') await postgres.connection.query(END_CLIENTS);
}
