import { Coverage } from './check/coverage';
import { NOTHING_RUN, addSeed, type BatchReport } from './check/report';
import { runSeed } from './run/run-seed';

/** What a worker is asked to do: to run seeds, or to write the transcript of one. */
export type Order =
  | { readonly kind: 'run'; readonly seeds: readonly number[]; readonly untilViolation: boolean }
  | { readonly kind: 'trace'; readonly seed: number };

export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly report: BatchReport }
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'crashed'; readonly seed: number; readonly why: string };

const LINES_AT_ONCE = 200;

const tell = (told: Told): void => void process.send?.(told);

async function runSeeds(seeds: readonly number[], untilViolation: boolean): Promise<void> {
  const coverage = new Coverage();
  let report = NOTHING_RUN;
  for (const seed of seeds) {
    running = seed;
    report = addSeed(report, await runSeed(seed, coverage));
    globalThis.gc?.({ type: 'minor' });
    if (untilViolation && report.violations.length > 0) break;
  }
  const { rules, plans, faults, waits } = coverage;
  const counts = { rules: [...rules], plans: [...plans], faults: [...faults], waits: [...waits] };
  tell({ kind: 'batch', report: { ...report, ...counts } });
}

async function trace(seed: number): Promise<void> {
  running = seed;
  let lines: string[] = [];
  const flush = (): void => {
    tell({ kind: 'lines', lines });
    lines = [];
  };
  const result = await runSeed(seed, new Coverage(), (line) => {
    lines.push(line);
    if (lines.length === LINES_AT_ONCE) flush();
  });
  flush();
  tell({ kind: 'batch', report: addSeed(NOTHING_RUN, result) });
}

let running = 0;

function crashed(error: unknown): void {
  tell({
    kind: 'crashed',
    seed: running,
    why: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
}

// Stacks of errors that are part of the game are never read, and cost as much as the rest of them.
Error.stackTraceLimit = process.env.SIMULATOR_STACKS === '1' ? 20 : 0;
process.on('uncaughtException', crashed);
process.on('unhandledRejection', crashed);
// Nobody is left to tell.
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  const work = order.kind === 'run' ? runSeeds(order.seeds, order.untilViolation) : trace(order.seed);
  work.catch(crashed);
});
tell({ kind: 'ready' });
