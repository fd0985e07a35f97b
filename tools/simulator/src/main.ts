import { cpus } from 'node:os';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { MUTATIONS } from './mutations';
import { bundleWorker } from './cli/bundle';
import { print, printCoverage, printSummary } from './cli/print';
import { runOnWorkers, traceOnWorker } from './cli/workers';
import { NOTHING_RUN } from './check/report';

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
  readonly workers: number;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('a whole number, please');
  return value;
}

/** Hands out seeds from a number on, `count` of them. */
function seedsFrom(from: number, count: number): (n: number) => readonly number[] {
  let at = from;
  return (n) => {
    const seeds = Array.from({ length: Math.max(0, Math.min(n, from + count - at)) }, (_, i) => at + i);
    at += seeds.length;
    return seeds;
  };
}

async function replay(bundle: string, seed: number, isTraced: boolean): Promise<boolean> {
  const report = await traceOnWorker(bundle, seed, (lines) => {
    if (isTraced) for (const line of lines) print(line);
  });
  printSummary(report, 0);
  return report.violations.length === 0;
}

async function runSeeds(bundle: string, { seeds, from, workers }: Options): Promise<boolean> {
  const began = performance.now();
  const sum = await runOnWorkers({ bundle, workers, next: seedsFrom(from, seeds), untilViolation: false });
  const missing = printCoverage(sum);
  printSummary(sum, performance.now() - began);
  print(`rules that decided: ${sum.rules.length} of ${sum.rules.length + missing.length}`);
  for (const rule of missing) print(`  never: ${rule}`);
  return sum.violations.length === 0 && (missing.length === 0 || seeds < SEEDS);
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

/** Each mutation must be found by the default seeds. */
async function runMutations(only: string | boolean, { seeds, workers }: Options): Promise<boolean> {
  const chosen = MUTATIONS.filter(({ name }) => only === true || name.includes(String(only)));
  const missed: string[] = [];
  const queue = [...chosen];
  const work = async (lane: number): Promise<void> => {
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      const bundle = join(dist, `mutated-${lane}.cjs`);
      await bundleWorker(root, bundle, mutation);
      const { name } = mutation;
      const sum = await runOnWorkers({ bundle, workers: 1, next: seedsFrom(1, seeds), untilViolation: true }).catch(
        (error: unknown) => ({ ...NOTHING_RUN, crash: String(error) }),
      );
      const [first] = sum.violations;
      if (first !== undefined)
        print(`caught  ${name}: seed ${first.seed} (after ${sum.seeds}), ${first.violation?.invariant ?? ''}`);
      else {
        missed.push(name);
        print(`MISSED  ${name}: ${'crash' in sum ? sum.crash : `${sum.seeds} seeds without a violation`}`);
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, lane) => work(lane)));
  print(`${chosen.length - missed.length} of ${chosen.length} mutations caught`);
  return missed.length === 0;
}

async function main(options: Options): Promise<boolean> {
  mkdirSync(dist, { recursive: true });
  if (options.mutations !== undefined) return runMutations(options.mutations, options);
  const bundle = join(dist, 'worker.cjs');
  await bundleWorker(root, bundle, null);
  if (options.seed !== undefined) return replay(bundle, options.seed, options.trace === true);
  if (options.explore !== undefined) return explore(bundle, options.explore, options.workers);
  return runSeeds(bundle, options);
}

const program = new Command('simulate')
  .description('simulates whole clusters with the real decision code')
  .option('--seeds <n>', 'how many seeds to run', whole, SEEDS)
  .option('--from <seed>', 'the first of them', whole, 1)
  .option('--seed <seed>', 'one seed only', whole)
  .option('--trace', 'with --seed: its transcript')
  .option('--explore <minutes>', 'new seeds for so long', Number)
  .option(
    '--mutations [name]',
    'puts each mistake of the list into the code (or those whose names contain this), and must find it',
  )
  .option('--workers <n>', 'processes', whole, Math.min(cpus().length, 8))
  .parse();

main(program.opts()).then(
  (isGood) => process.exit(isGood ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(70);
  },
);
