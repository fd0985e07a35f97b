import type { Role } from '@ha-postgres/cluster-state';
import type { Observation } from '@ha-postgres/failover';
import { lagBytes, parseLsn } from '@ha-postgres/lsn';

/** Once it left, a Replica comes back when it is so much nearer: at one limit it would come and go with every burst of writes. */
const BACK_AT = 0.5;

/** The part of an observation that the lag is read from. */
type Seen = Pick<Observation, 'now' | 'master' | 'postgres'>;

/**
 * By how many bytes what is read here trails the Master: what its last beat said, or what its stream has said since; null while
 * either is unknown. Counted from what is replayed, for that is what a query sees.
 */
export function behindMaster(o: Seen, streamedLagBytes: number | null): number | null {
  const { replayedLsn } = o.postgres;
  const entry = o.master.known ? o.master.value.entry : null;
  const runs = entry?.session != null && entry.value?.phase === 'running';
  if (!runs || replayedLsn == null) return streamedLagBytes;
  return Math.max(streamedLagBytes ?? 0, lagBytes(parseLsn(entry.value.lsn), replayedLsn));
}

/** Whether clients of the standby port may be sent here, beside all that makes a node ready. */
export class Reads {
  private isTooFarBehind = false;

  constructor(
    private readonly noLoadBalance: boolean,
    private readonly lagBytesMax: number | null,
  ) {}

  /** Why not; null: they may. */
  whyNot(role: Role | null, o: Seen, streamedLagBytes: number | null): string | null {
    if (role !== 'Replica') {
      this.isTooFarBehind = false;
      return null;
    }
    if (this.noLoadBalance) return 'tagged noLoadBalance';
    return this.lagBytesMax === null ? null : this.whyTooFarBehind(behindMaster(o, streamedLagBytes), this.lagBytesMax);
  }

  /** A lag that nobody knows changes nothing: that a Replica does not stream at all has a check of its own. */
  private whyTooFarBehind(behind: number | null, max: number): string | null {
    if (behind !== null) this.isTooFarBehind = behind > (this.isTooFarBehind ? max * BACK_AT : max);
    if (!this.isTooFarBehind) return null;
    return behind === null
      ? `was more than maximumLagOnRead ${max} bytes behind the Master when its lag was last known`
      : `${behind} bytes behind the Master: left at maximumLagOnRead ${max}, comes back at ${max * BACK_AT}`;
  }
}
