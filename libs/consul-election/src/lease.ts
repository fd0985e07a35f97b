import type { KvEntry } from './api';
import type { Millis } from './clock';

/** The times of a lease, in milliseconds. All nodes of a cluster must use the same. */
export interface LeaseTimes {
  /** L: a beat that succeeds gives the right until L after it was *sent*. */
  readonly leaseDurationMs: number;
  /** δ: by how much two nodes' clocks may drift apart within L. Others wait L + δ. */
  readonly driftMarginMs: number;
  /** How long before the end of the lease the holder must begin to give up. */
  readonly fenceTimeMs: number;
  readonly heartbeatIntervalMs: number;
}

export const defaultLeaseTimes: LeaseTimes = {
  leaseDurationMs: 3000,
  driftMarginMs: 300,
  fenceTimeMs: 700,
  heartbeatIntervalMs: 500,
};

/** The rules that the times must keep to, each that is broken as a sentence with its values. Empty: all hold. */
export function leaseTimesProblems(times: LeaseTimes): readonly string[] {
  const { leaseDurationMs: lease, driftMarginMs: drift, fenceTimeMs: fence, heartbeatIntervalMs: beat } = times;
  const problems = Object.entries(times)
    .filter(([, ms]: [string, number]) => !(Number.isFinite(ms) && ms > 0))
    .map(([name, ms]: [string, number]) => `${name} must be above 0, not ${ms}`);
  if (2 * beat + fence > lease)
    problems.push(
      `2 × heartbeatIntervalMs ${beat} + fenceTimeMs ${fence} must not exceed leaseDurationMs ${lease}: one lost beat would end the lease`,
    );
  if (drift < lease / 100)
    problems.push(
      `driftMarginMs ${drift} must be at least a hundredth of leaseDurationMs ${lease}: clocks of two machines differ in rate`,
    );
  return problems;
}

/** When the right given by a beat or an acquire that was sent at `sentAt` ends. */
export function leaseEnd(sentAt: Millis, times: LeaseTimes): Millis {
  return sentAt + times.leaseDurationMs;
}

/** When the holder must begin to give up, so that it is done by the end of the lease. */
export function fenceStart(leaseEndsAt: Millis, times: LeaseTimes): Millis {
  return leaseEndsAt - times.fenceTimeMs;
}

/** What one has seen of the key's last writer: which write, and since when. */
export interface PredecessorSight {
  /** ModifyIndex of the write; {@link ABSENT} where the key does not exist. */
  readonly modifyIndex: number;
  /** t: the own time at which this write was known to have happened; taken when the answer came, never when it was asked for. */
  readonly firstSeenAt: Millis;
}

/** In place of a ModifyIndex, for a key that does not exist. Consul's indexes start at 1. */
export const ABSENT = 0;

/**
 * Takes a look into account. The time starts anew whenever the ModifyIndex is another, also a lower one.
 *
 * An absent key has a sight of its own: it may have been deleted while its holder's lease still runs.
 */
export function sight(previous: PredecessorSight | null, entry: KvEntry | null, now: Millis): PredecessorSight {
  const modifyIndex = entry?.modifyIndex ?? ABSENT;
  return previous?.modifyIndex === modifyIndex ? previous : { modifyIndex, firstSeenAt: now };
}

/** t + L + δ: from then on, the lease of whoever wrote what was seen is over, and the next holder may promote. */
export function waitsUntil(seen: PredecessorSight, times: LeaseTimes): Millis {
  return seen.firstSeenAt + times.leaseDurationMs + times.driftMarginMs;
}

/**
 * Whether the holder's lease is over although it holds the key: a `consistent` read *issued* after t + L + δ still shows
 * the write that was seen. A read that was sent before, however late its answer came, proves nothing.
 */
export function leaseRanOut(
  seen: PredecessorSight,
  consistentRead: { readonly sentAt: Millis; readonly entry: KvEntry | null },
  times: LeaseTimes,
): boolean {
  return (
    consistentRead.sentAt > waitsUntil(seen, times) &&
    (consistentRead.entry?.modifyIndex ?? ABSENT) === seen.modifyIndex
  );
}
