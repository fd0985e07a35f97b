import { cpus } from 'node:os';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { bundleWorker } from './cli/bundle';
import { print, printCoverage, printSummary } from './cli/print';
import { RULE_NAMES } from '@ha-postgres/failover';
import { writeReport, type Shown } from './cli/report-file';
import { runMutations } from './cli/run-mutations';
import { invariantsShown } from './cli/shown';
import { runOnWorkers, seedsFrom, traceOnWorker } from './cli/workers';
import { runExhaustive } from './exhaustive/run';

const root = dirname(dirname(dirname(__dirname)));
const dist = join(root, 'tools', 'simulator', 'dist');
const SEEDS = 20_000;

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly seed?: number;
  readonly trace?: boolean;
  readonly explore?: number;
  readonly mutations?: string | boolean;
  readonly exhaustive?: string | boolean;
  readonly remember?: boolean;
  readonly workers: number;
  readonly report?: string;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number, please');
  return value;
}

async function replay(bundle: string, seed: number, isTraced: boolean): Promise<boolean> {
  const report = await traceOnWorker(bundle, seed, (lines) => {
    if (isTraced) for (const line of lines) print(line);
  });
  printSummary(report, 0);
  return report.violations.length === 0;
}

async function runSeeds(bundle: string, { seeds, from, workers }: Options): Promise<readonly Shown[]> {
  const began = performance.now();
  const sum = await runOnWorkers({ bundle, workers, next: seedsFrom(from, seeds), untilViolation: false });
  const missing = printCoverage(sum);
  printSummary(sum, performance.now() - began);
  print(`rules that decided: ${RULE_NAMES.length - missing.length} of ${RULE_NAMES.length}`);
  for (const rule of missing) print(`  never: ${rule}`);
  const isWhole = from === 1 && seeds >= SEEDS;
  return [
    ...invariantsShown(sum),
    ...(isWhole ? RULE_NAMES : []).map((rule) => ({ what: `${rule} decides`, isShown: !missing.includes(rule) })),
  ];
}

/** New seeds for so many minutes, beginning at one that depends on the time. */
async function explore(bundle: string, minutes: number, workers: number): Promise<boolean> {
  const began = performance.now();
  const from = Date.now();
  const endless = seedsFrom(from, Number.MAX_SAFE_INTEGER - from);
  print(`explores from seed ${from} on`);
  const sum = await runOnWorkers({
    bundle,
    workers,
    next: (n) => (performance.now() - began < minutes * 60_000 ? endless(n) : []),
    untilViolation: false,
  });
  printSummary(sum, performance.now() - began);
  return sum.violations.length === 0;
}

async function everyInterleaving(only: string | boolean, { mutations, trace, report }: Options): Promise<boolean> {
  const shown = await runExhaustive({
    ...{ root, print, trace: trace === true },
    ...(only === true ? {} : { only: String(only) }),
    ...(mutations === undefined ? {} : { mutations }),
  });
  if (report !== undefined) writeReport(report, 'exhaustive', shown);
  return shown.length > 0 && shown.every(({ isShown }) => isShown);
}

async function main(options: Options): Promise<boolean> {
  mkdirSync(dist, { recursive: true });
  if (options.exhaustive !== undefined) return everyInterleaving(options.exhaustive, options);
  const bundle = join(dist, 'worker.cjs');
  await bundleWorker(root, bundle, null);
  if (options.seed !== undefined) return replay(bundle, options.seed, options.trace === true);
  if (options.explore !== undefined) return explore(bundle, options.explore, options.workers);
  const shown =
    options.mutations === undefined
      ? await runSeeds(bundle, options)
      : await runMutations(options.mutations, { ...options, bundle, dist, root });
  if (options.report !== undefined) writeReport(options.report, 'simulate', shown);
  return shown.every(({ isShown }) => isShown);
}

const program = new Command('simulate')
  .description('simulates whole clusters with the real decision code')
  .option('--seeds <n>', 'how many seeds to run', whole, SEEDS)
  .option('--from <seed>', 'the first of them', whole, 1)
  .option('--seed <seed>', 'one seed only', whole)
  .option('--trace', 'with --seed: its transcript; with --exhaustive --mutations: how each was found')
  .option('--explore <minutes>', 'new seeds for so long', Number)
  .option(
    '--mutations [name]',
    'puts each mistake of the list into the code (or those whose names contain this), and must find it',
  )
  .option('--remember', 'with --mutations: writes down which seed found each, to be tried first the next time')
  .option(
    '--exhaustive [name]',
    'goes through every interleaving of the lease protocol (of one configuration), or, with --mutations, must find those of the lease',
  )
  .option('--report <file>', 'leaves what was shown, as tools/test reads it')
  .option('--workers <n>', 'processes', whole, Math.min(cpus().length, 8))
  .parse();

main(program.opts()).then(
  (isGood) => process.exit(isGood ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(70);
  },
);
