import type { Verdict } from '@ha-postgres/checker';

/** A fault that was done, and how long the cluster took from its beginning until nothing was missing again. */
export interface FaultDone {
  readonly text: string;
  /** Null: it was not whole again in time. */
  readonly wholeAfterMs: number | null;
}

/** What `--scenario chaos --json` writes. */
export interface ChaosReport {
  readonly scenario: 'chaos';
  /** `--seed` of the same faults in the same order. */
  readonly seed: number;
  readonly replication: string;
  readonly minutes: number;
  readonly faults: number;
  readonly attempts: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly ambiguous: number;
  readonly acknowledgedLost: number | null;
  readonly duplicates: number;
  readonly writersAtOnce: number;
  /** The longest time without an acknowledgement. */
  readonly writeOutageMs: number | null;
  /** At the end a Master, all Replicas streaming, and the ways to them are there, without hands. */
  readonly wholeAgain: boolean;
  readonly longestUntilWholeMs: number | null;
  readonly violations: readonly string[];
  readonly done: readonly FaultDone[];
}

/** What a run was given, and what was done in it. */
export type ChaosRun = Pick<ChaosReport, 'seed' | 'replication' | 'minutes' | 'done'>;

/** Puts the numbers together. */
export function chaosReport({ seed, replication, minutes, done }: ChaosRun, verdict: Verdict): ChaosReport {
  const { attempts, acknowledged, failed, ambiguous } = verdict;
  const healed = done.map(({ wholeAfterMs }) => wholeAfterMs).filter((ms) => ms !== null);
  return {
    ...{ scenario: 'chaos', seed, replication, minutes, faults: done.length },
    ...{ attempts, acknowledged, failed, ambiguous },
    acknowledgedLost: verdict.lost === null ? null : verdict.lost.length + (verdict.direct.lost?.length ?? 0),
    duplicates: verdict.duplicates.length,
    writersAtOnce: verdict.writersAtOnceMax,
    writeOutageMs: verdict.writeOutageMs === null ? null : Math.round(verdict.writeOutageMs),
    wholeAgain: healed.length === done.length,
    longestUntilWholeMs: healed.length === 0 ? null : Math.round(Math.max(...healed)),
    violations: verdict.violations.map(({ kind, text }) => `${kind}: ${text}`),
    done,
  };
}

/** Nothing is wrong with the history, and the cluster came back by itself from every fault. */
export function survivedChaos(report: ChaosReport): boolean {
  return report.faults > 0 && report.wholeAgain && report.violations.length === 0;
}

/** The report for people. */
export function describeChaos(report: ChaosReport): string[] {
  return [
    `${report.faults} faults (seed ${report.seed}, replication ${report.replication}); ` +
      `whole again after the last: ${report.wholeAgain ? 'yes' : 'NO'}; longest until whole ${report.longestUntilWholeMs ?? 'unknown'} ms`,
    `of ${report.attempts} inserts ${report.acknowledged} acknowledged, ${report.failed} failed, ${report.ambiguous} of them ambiguous; ` +
      `longest write outage ${report.writeOutageMs ?? 'unknown'} ms`,
    `acknowledged and lost: ${report.acknowledgedLost ?? 'unknown'}; twice: ${report.duplicates}; writers at once: ${report.writersAtOnce}`,
    ...report.violations.map((violation) => `WRONG: ${violation}`),
  ];
}
