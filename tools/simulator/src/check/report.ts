import type { SeedResult } from '../run/run-seed';

/** What a worker tells of a batch of seeds: plain values, for they go from process to process. */
export interface BatchReport {
  readonly seeds: number;
  readonly violations: readonly SeedResult[];
  readonly steps: number;
  readonly virtualMs: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly promotions: number;
  readonly slowestConvergenceMs: number;
  readonly rules: readonly (readonly [string, number])[];
  readonly plans: readonly (readonly [string, number])[];
  readonly faults: readonly (readonly [string, number])[];
  readonly waits: readonly (readonly [string, number])[];
}

export const NOTHING_RUN: BatchReport = {
  seeds: 0,
  violations: [],
  steps: 0,
  virtualMs: 0,
  acknowledged: 0,
  lost: 0,
  promotions: 0,
  slowestConvergenceMs: 0,
  rules: [],
  plans: [],
  faults: [],
  waits: [],
};

export function addSeed(report: BatchReport, result: SeedResult): BatchReport {
  return {
    ...report,
    seeds: report.seeds + 1,
    violations: result.violation === null ? report.violations : [...report.violations, result],
    steps: report.steps + result.steps,
    virtualMs: report.virtualMs + result.virtualMs,
    acknowledged: report.acknowledged + result.acknowledged,
    lost: report.lost + result.lost,
    promotions: report.promotions + result.promotions,
    slowestConvergenceMs: Math.max(report.slowestConvergenceMs, result.convergedInMs ?? 0),
  };
}

export function addUp(a: BatchReport, b: BatchReport): BatchReport {
  return {
    seeds: a.seeds + b.seeds,
    violations: [...a.violations, ...b.violations],
    steps: a.steps + b.steps,
    virtualMs: a.virtualMs + b.virtualMs,
    acknowledged: a.acknowledged + b.acknowledged,
    lost: a.lost + b.lost,
    promotions: a.promotions + b.promotions,
    slowestConvergenceMs: Math.max(a.slowestConvergenceMs, b.slowestConvergenceMs),
    rules: sum(a.rules, b.rules),
    plans: sum(a.plans, b.plans),
    faults: sum(a.faults, b.faults),
    waits: sum(a.waits, b.waits),
  };
}

type Counts = BatchReport['rules'];

function sum(a: Counts, b: Counts): Counts {
  const counts = new Map(a);
  for (const [name, count] of b) counts.set(name, (counts.get(name) ?? 0) + count);
  return [...counts];
}
