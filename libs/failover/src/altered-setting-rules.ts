import { lead, whileRunning } from './holding';
import type { Observation } from './observation';
import type { Rules } from './outcome';
import { standbyNames } from './sync-set';
import { nextVersion, serverSight, syncOf } from './sync-view';

/** A setting that the runner has written is read by PostgreSQL in some milliseconds. */
const TAKEN_UP_MS = 1000;

export const alteredSettingRules: Rules = {
  /**
   * Somebody has put another `synchronous_standby_names` over the runner's (ALTER SYSTEM): commits are acknowledged by a rule that
   * nobody knows. The key says so, until the setting stands again and Replicas have confirmed all: else what is lost would be taken for
   * what nobody was told of. The runner takes it back, a little later, so that it is seen here first.
   */
  masterSaysThatItsSettingWasAltered: whileRunning((o, { altered }, hold) => {
    const value = syncOf(o);
    if (value == null || value.k === 0 || value.previous?.k === 0 || !isAltered(o, standbyNames(value))) return null;
    const readAt = serverSight(o)?.readAt ?? o.now;
    if (altered?.version !== value.version) {
      return { ...lead(o, hold, []), memory: { altered: { version: value.version, readAt } }, wakeAt: o.now + 10 };
    }
    if (readAt < altered.readAt + TAKEN_UP_MS) return null;
    const unknown = { mode: value.mode, k: 0, names: [] };
    return lead(o, hold, [{ type: 'writeSync', value: { ...value, version: nextVersion(o), previous: unknown } }]);
  }),
};

/** PostgreSQL was told to read what the key says, and shows something else. */
function isAltered(o: Observation, wanted: string): boolean {
  const shown = serverSight(o)?.standbyNames;
  return o.runner.known && o.runner.value.synchronousStandbyNames === wanted && shown !== undefined && shown !== wanted;
}
