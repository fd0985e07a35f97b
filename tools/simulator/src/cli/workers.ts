import { fork, type ChildProcess } from 'node:child_process';
import { NOTHING_RUN, addUp, type BatchReport } from '../check/report';
import type { Order, Told } from '../worker';

/** Little garbage outlives a seed: a large young generation, collected by the worker itself, and after each seed, is the cheapest. */
const FOR_GARBAGE = ['--min-semi-space-size=32', '--max-semi-space-size=32', '--single-threaded-gc', '--expose-gc'];
/** Thousands of functions, none of which takes much of the time: they are compiled, and learned about, from their first call on. */
const FOR_MANY_FUNCTIONS = ['--always-sparkplug', '--no-lazy-feedback-allocation'];
const FLAGS = [...FOR_GARBAGE, ...FOR_MANY_FUNCTIONS];
export const BATCH = 40;

/** A worker ended by itself, or an error escaped from a run: the simulator is broken. */
export class WorkerFailed extends Error {}

/** One process that runs the bundle. */
export class Worker {
  private readonly child: ChildProcess;
  private settle: ((told: Told) => void) | null = null;
  private fail: ((error: Error) => void) | null = null;

  constructor(
    bundle: string,
    private readonly onLines: (lines: readonly string[]) => void = () => undefined,
  ) {
    this.child = fork(bundle, { execArgv: FLAGS, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (told: Told) => this.told(told));
    this.child.on('exit', (code, signal) =>
      this.fail?.(new WorkerFailed(`a worker ended by itself (${signal ?? String(code)})`)),
    );
  }

  /** @throws WorkerFailed */
  async do(order: Order): Promise<BatchReport> {
    const told = await new Promise<Told>((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
      this.child.send(order);
    });
    if (told.kind === 'crashed') throw new WorkerFailed(`seed ${told.seed}: ${told.why}`);
    return told.kind === 'batch' ? told.report : NOTHING_RUN;
  }

  end(): void {
    this.fail = null;
    this.child.kill();
  }

  private told(told: Told): void {
    if (told.kind === 'lines') this.onLines(told.lines);
    else if (told.kind !== 'ready') this.settle?.(told);
  }
}

export interface Run {
  readonly bundle: string;
  readonly workers: number;
  /** The next seeds to run; empty: there are no more. */
  readonly next: (count: number) => readonly number[];
  readonly untilViolation: boolean;
  readonly onProgress?: (sum: BatchReport) => void;
}

/** Runs seeds on several processors. @throws WorkerFailed */
export async function runOnWorkers({ bundle, workers, next, untilViolation, onProgress }: Run): Promise<BatchReport> {
  let sum = NOTHING_RUN;
  const all = Array.from({ length: workers }, () => new Worker(bundle));
  const work = async (worker: Worker): Promise<void> => {
    for (;;) {
      if (untilViolation && sum.violations.length > 0) return;
      const seeds = next(BATCH);
      if (seeds.length === 0) return;
      const report = await worker.do({ kind: 'run', seeds, untilViolation });
      sum = addUp(sum, report);
      onProgress?.(sum);
    }
  };
  try {
    await Promise.all(all.map(work));
    return sum;
  } finally {
    for (const worker of all) worker.end();
  }
}

/** Writes the transcript of a seed. @throws WorkerFailed */
export async function traceOnWorker(
  bundle: string,
  seed: number,
  onLines: (lines: readonly string[]) => void,
): Promise<BatchReport> {
  const worker = new Worker(bundle, onLines);
  try {
    return await worker.do({ kind: 'trace', seed });
  } finally {
    worker.end();
  }
}

/** Hands out seeds from a number on, `count` of them. */
export function seedsFrom(from: number, count: number): Run['next'] {
  let at = from;
  return (n) => {
    const seeds = Array.from({ length: Math.max(0, Math.min(n, from + count - at)) }, (_, i) => at + i);
    at += seeds.length;
    return seeds;
  };
}
