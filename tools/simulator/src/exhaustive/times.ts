import type { LeaseTimes } from '@ha-postgres/consul-election';
import type { Millis, Policy } from '@ha-postgres/failover';

/**
 * Time is ticks of a second, on each node's own clock. The lease lasts 2, fencing begins half a tick before its end, and others wait
 * 1 more (δ): the smallest numbers in which each of them can be told from nothing, so that every interleaving can be gone through.
 */
export type Ticks = number;

export const TICK_MS = 1000;
export const LEASE: Ticks = 2;
export const DRIFT: Ticks = 1;
export const FENCE: Ticks = 0.5;

const NEVER_MS = 1000 * TICK_MS;

/** Beats are sent at any moment; the interval is only how fresh an answer of Consul is that speaks against failsafe: of this tick. */
export const TIMES: LeaseTimes = {
  leaseDurationMs: LEASE * TICK_MS,
  driftMarginMs: DRIFT * TICK_MS,
  fenceTimeMs: FENCE * TICK_MS,
  heartbeatIntervalMs: TICK_MS / 2,
};

/**
 * What a node is configured with. A cold start is not waited for and a promotion never takes too long: both only add waiting.
 * Failsafe is asked for as soon as a beat is unanswered.
 */
export function policyOf(mayTakeOver: boolean, secondFence: boolean): Policy {
  return {
    ...TIMES,
    unansweredLimitMs: 0,
    promoteTimeoutMs: NEVER_MS,
    maximumLagOnFailoverBytes: 0,
    coldStartWaitMs: 0,
    secondFenceMs: secondFence ? TICK_MS : NEVER_MS,
    tags: { noFailover: !mayTakeOver, failoverPriority: 0 },
    sync: { mode: 'async', k: 0, durability: 'available' },
    rejoin: 'never',
  };
}

export const POLICY = policyOf(true, true);

/** In a state every time is told from its node's now; the real code is given this moment as now. */
export const NOW: Millis = 1_000_000_000;

/** Shortly before the next tick: when a deadline between two ticks has passed. */
export const LATE: Millis = NOW + 0.75 * TICK_MS;

/** Null stands for a time that is so long ago that no rule can tell it from any earlier one. */
export function toMillis(at: Ticks | null): Millis {
  return at === null ? Number.NEGATIVE_INFINITY : NOW + at * TICK_MS;
}

export function toTicks(at: Millis): Ticks | null {
  return Number.isFinite(at) ? (at - NOW) / TICK_MS : null;
}

/** A time that only counts while it lies ahead. */
export function ahead(at: Ticks | null): Ticks | null {
  return at !== null && at > 0 ? at : null;
}
