import { RULE_NAMES } from '@ha-postgres/failover';
import type { BatchReport } from '../check/report';

export const print = (line = ''): void => void process.stdout.write(`${line}\n`);

/** How often each rule decided: an unreached rule is a rule that nothing was shown about. */
export function printCoverage({ rules, faults, waits }: BatchReport): readonly string[] {
  const counts = new Map(rules);
  print('how often each rule of decide() took over, in the order of the rules:');
  for (const rule of RULE_NAMES) print(`${String(counts.get(rule) ?? 0).padStart(9)}  ${rule}`);
  print('faults:');
  for (const [fault, count] of [...faults].sort((a, b) => b[1] - a[1])) print(`${String(count).padStart(9)}  ${fault}`);
  print('rightly without a Master, while one fault stood:');
  for (const [why, count] of waits) print(`${String(count).padStart(9)}  ${why}`);
  return RULE_NAMES.filter((rule) => !counts.has(rule));
}

export function printSummary(sum: BatchReport, tookMs: number): void {
  const seconds = tookMs / 1000;
  print(
    `${sum.seeds} seeds in ${seconds.toFixed(1)} s: ${(sum.virtualMs / 3_600_000).toFixed(1)} virtual hours, ${sum.steps} events, ` +
      `${sum.promotions} promotions, ${sum.acknowledged} writes acknowledged, ${sum.lost} of them lost (asynchronous, within the bound); ` +
      `slowest recovery ${(sum.slowestConvergenceMs / 1000).toFixed(1)} s after the last fault`,
  );
  print(`violations: ${sum.violations.length}`);
  const violations = sum.violations.toSorted((a, b) => a.seed - b.seed);
  for (const invariant of new Set(violations.map(({ violation }) => violation?.invariant))) {
    const those = violations.filter(({ violation }) => violation?.invariant === invariant);
    print(`  ${invariant ?? ''}: ${those.length}`);
    for (const { seed, violation } of those) print(`    seed ${seed}: ${violation?.what ?? ''}`);
  }
  const [first] = violations;
  if (first !== undefined) print(`replay: npx nx simulate -- --seed ${first.seed} --trace`);
}
