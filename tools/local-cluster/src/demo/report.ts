import { firstOnConnectionAfter, longestGapAfter, type History, type Verdict } from '@ha-postgres/checker';
import type { Millis } from '@ha-postgres/service-kit';
import type { MasterSight } from './master-timeline';
import type { Scenario } from './scenario';

/** When a step of the failover was seen, in milliseconds since the fault; null: it was not, or there is no such step. */
export interface Timings {
  /** Somebody noticed: from the services' logs. */
  readonly detectedMs: number | null;
  /** The old Master gave the lock back. */
  readonly releasedMs: number | null;
  /** Another node held the lock. */
  readonly electedMs: number | null;
  /** It ran as Master. */
  readonly promotedMs: number | null;
  /** The client's first insert on a connection made after the election was acknowledged. */
  readonly routedMs: number | null;
  /** The old Master streamed again as a Replica, by itself. */
  readonly rejoinedMs: number | null;
}

/** What `--json` writes. */
export interface Report {
  readonly scenario: Scenario;
  readonly writeOutageMs: number | null;
  readonly attempts: number;
  readonly failed: number;
  readonly ambiguous: number;
  readonly acknowledgedLost: number | null;
  readonly oldMaster: string | null;
  readonly newMaster: string | null;
  /** Why the old Master stays blocked: what it holds that the cluster lacks; null: it does not. */
  readonly oldMasterBlocked: string | null;
  readonly timings: Timings;
}

/** What was seen of one fault. */
export interface Failover {
  readonly scenario: Scenario;
  readonly struckAt: Millis;
  readonly oldMaster: string;
  readonly detectedAt: Millis | null;
  readonly released: MasterSight | null;
  readonly elected: MasterSight | null;
  readonly promoted: MasterSight | null;
  readonly rejoinedAt: Millis | null;
  readonly blocked: string | null;
}

/** Puts the numbers together. */
export function reportOf(failover: Failover, history: History, verdict: Verdict): Report {
  const { struckAt, elected } = failover;
  const after = (moment: Millis | null | undefined) =>
    moment === null || moment === undefined ? null : rounded(moment - struckAt);
  const routed = elected === null ? null : firstOnConnectionAfter(history, elected.at);
  return {
    scenario: failover.scenario,
    writeOutageMs: rounded(longestGapAfter(history, struckAt)),
    ...countsOf(verdict),
    oldMaster: failover.oldMaster,
    newMaster: failover.promoted?.value?.node ?? null,
    oldMasterBlocked: failover.blocked,
    timings: {
      detectedMs: after(failover.detectedAt),
      releasedMs: after(failover.released?.at),
      electedMs: after(elected?.at),
      promotedMs: after(failover.promoted?.at),
      routedMs: after(routed?.acknowledgement.at),
      rejoinedMs: after(failover.rejoinedAt),
    },
  };
}

/** The report of a run without a fault: the longest pause of all, and nobody new. */
export function quietReport(master: string, history: History, verdict: Verdict): Report {
  const timings = {
    detectedMs: null,
    releasedMs: null,
    electedMs: null,
    promotedMs: null,
    routedMs: null,
    rejoinedMs: null,
  };
  const writeOutageMs = rounded(longestGapAfter(history, 0));
  return {
    scenario: 'none',
    writeOutageMs,
    ...countsOf(verdict),
    oldMaster: master,
    newMaster: null,
    oldMasterBlocked: null,
    timings,
  };
}

/** The demo's success: after a fault a new Master took writes; without one, writes were acknowledged at all. */
export function isSuccess(report: Report): boolean {
  if (report.scenario === 'none') return report.writeOutageMs !== null;
  return report.newMaster !== null && report.timings.routedMs !== null;
}

/** The report for people. */
export function describeReport(report: Report): string[] {
  const { timings } = report;
  const steps = Object.entries(timings)
    .filter(([, ms]) => ms !== null)
    .map(([name, ms]) => `${name.replace(/Ms$/, '')} ${ms as number} ms`);
  return [
    ...(report.scenario === 'none'
      ? []
      : [`${report.oldMaster ?? '?'} → ${report.newMaster ?? 'nobody'}; after the fault: ${steps.join(', ')}`]),
    `write outage ${report.writeOutageMs ?? 'unknown'} ms; of ${report.attempts} inserts ${report.failed} failed, ${report.ambiguous} of them ambiguous; ` +
      `acknowledged and lost: ${report.acknowledgedLost ?? 'unknown'}`,
    ...rejoiningOf(report),
  ];
}

function rejoiningOf({ scenario, oldMaster, oldMasterBlocked, timings }: Report): string[] {
  if (scenario === 'none' || oldMaster === null) return [];
  if (timings.rejoinedMs !== null) {
    return [`${oldMaster} is back: it streams as a Replica, by itself, ${timings.rejoinedMs} ms after the fault`];
  }
  return [`${oldMaster} is not back: ${oldMasterBlocked ?? 'it does not stream yet'}`];
}

function countsOf({ attempts, failed, ambiguous, lost }: Verdict) {
  return { attempts, failed, ambiguous, acknowledgedLost: lost?.length ?? null };
}

function rounded(ms: number): number;
function rounded(ms: number | null): number | null;
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
