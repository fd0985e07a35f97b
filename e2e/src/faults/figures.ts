import { longestGapAfter, type AcknowledgedWrite, type History, type Verdict } from '@ha-postgres/checker';
import type { Figures } from './result';

export interface Moments {
  /** When the fault began, and when the cluster was whole again, by the clock of the history. */
  readonly struckAt: number;
  /** When the fault was taken away; null: it has no end. */
  readonly mendedAt: number | null;
  readonly wholeAt: number;
}

/** What a run showed, in numbers. */
export function figuresOf(
  history: History,
  verdict: Verdict,
  moments: Moments,
  rest: { term: number; hands: number },
): Figures {
  const { struckAt, mendedAt, wholeAt } = moments;
  return {
    writeOutageMs: longestGapAfter(history, struckAt),
    attempts: verdict.attempts,
    failed: verdict.failed,
    ambiguous: verdict.ambiguous,
    lost: verdict.lost?.length ?? 0,
    lostPastLoadBalancers: verdict.direct.lost?.length ?? 0,
    writersAtOnce: verdict.writersAtOnceMax,
    late: verdict.late.length,
    failovers: new Set(history.promotions.filter(({ term }) => term > rest.term).map(({ term }) => term)).size,
    redundancyMs: wholeAt - (mendedAt ?? struckAt),
    hands: rest.hands,
  };
}

/**
 * What asynchronous replication may not lose either: writes that were acknowledged longer before the fault than a beat's
 * time had been sent to the Replicas.
 */
export function lostButSent(history: History, verdict: Verdict, struckAt: number, beatMs: number): AcknowledgedWrite[] {
  const lost = new Set([...(verdict.lost ?? []), ...(verdict.direct.lost ?? [])]);
  return history.acknowledged.filter(
    ({ id, acknowledgement }) => lost.has(id) && acknowledgement.at < struckAt - beatMs,
  );
}
