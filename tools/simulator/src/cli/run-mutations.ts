import { join } from 'node:path';
import { INVARIANTS } from '../check/invariants';
import type { SeedResult } from '../run/run-seed';
import { MUTATIONS } from '../mutations';
import { NOT_FOUND } from '../mutations/not-found';
import { readCaughtBy, remembered, writeCaughtBy } from '../mutations/caught-by';
import type { SeedMutation } from '../mutations/mutation';
import { bundleWorker } from './bundle';
import { print } from './print';
import type { Shown } from './report-file';
import { BATCH, Worker } from './workers';

const ALL = [...MUTATIONS, ...NOT_FOUND];

export interface MutationRun {
  readonly root: string;
  readonly dist: string;
  /** The worker's bundle of the code as it is. */
  readonly bundle: string;
  /** So many seeds at most for each. */
  readonly seeds: number;
  readonly workers: number;
  /** Writes down which seed found which. */
  readonly remember?: boolean;
}

/**
 * Puts each mistake into the code (those whose names contain `only`, or all): the default seeds must find it, and find nothing in the
 * code as it is.
 */
export async function runMutations(only: string | boolean, run: MutationRun): Promise<readonly Shown[]> {
  const chosen = only === true ? MUTATIONS : ALL.filter(({ name }) => name.includes(String(only)));
  const before = readCaughtBy(run.root);
  const began = performance.now();
  const queue = [...chosen];
  const shown: Shown[] = [];
  const found = new Map<string, number>();
  const work = async (lane: number): Promise<void> => {
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      const told = await runMutation(mutation, join(run.dist, `mutated-${lane}.cjs`), before[mutation.name] ?? [], run);
      if (told.seed !== null) found.set(mutation.name, told.seed);
      shown.push({ what: `finds: ${mutation.name}`, isShown: told.seed !== null });
      print(`${told.seed !== null ? 'caught' : 'MISSED'}  ${mutation.name}: ${told.what}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(run.workers, chosen.length) }, (_, lane) => work(lane)));
  if (run.remember === true) {
    const names = ALL.map(({ name }) => name);
    writeCaughtBy(run.root, remembered(before, found, names));
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  print(`${found.size} of ${chosen.length} mutations caught, in ${seconds} s`);
  return shown;
}

interface Verdict {
  /** That found it; null: none did. */
  readonly seed: number | null;
  readonly what: string;
}

async function runMutation(
  mutation: SeedMutation,
  mutated: string,
  knownSeeds: readonly number[],
  { root, bundle, seeds }: MutationRun,
): Promise<Verdict> {
  await bundleWorker(root, mutated, mutation);
  const worker = new Worker(mutated);
  const asItIs = new Worker(bundle);
  try {
    return await search(mutation, worker, asItIs, inOrder(knownSeeds, seeds));
  } catch (error) {
    return { seed: null, what: String(error) };
  } finally {
    worker.end();
    asItIs.end();
  }
}

/** The first seed that fails, and does not without the mutation. */
async function search(
  { breaks }: SeedMutation,
  worker: Worker,
  asItIs: Worker,
  seeds: Iterable<readonly number[]>,
): Promise<Verdict> {
  const fitting: readonly string[] = breaks.map((name) => INVARIANTS[name]);
  const refused = new Map<string, number[]>();
  let count = 0;
  for (const batch of seeds) {
    for (let left = batch; left.length > 0;) {
      const report = await worker.do({ kind: 'run', seeds: left, untilViolation: true });
      count += report.seeds;
      left = left.slice(report.seeds);
      const [failed] = report.violations;
      if (failed === undefined) continue;
      const { seed, violation } = failed;
      const invariant = violation?.invariant ?? '';
      const why = fitting.includes(invariant) ? await whyNotFound(failed, asItIs) : 'which does not fit';
      if (why === null) return { seed, what: `seed ${seed}, ${invariant} (${count} seeds run${saying(refused)})` };
      const reason = `${invariant}, ${why}`;
      refused.set(reason, [...(refused.get(reason) ?? []), seed]);
    }
  }
  return { seed: null, what: `${count} seeds do not find it${saying(refused)}` };
}

async function whyNotFound(failed: SeedResult, asItIs: Worker): Promise<string | null> {
  const { violations } = await asItIs.do({ kind: 'run', seeds: [failed.seed], untilViolation: true });
  return violations.length === 0 ? null : 'fails without the mutation as well';
}

const NAMED = 3;

/** Which seeds failed and do not count, the first of each kind by number. */
function saying(refused: ReadonlyMap<string, readonly number[]>): string {
  return [...refused]
    .map(([why, seeds]) => `; not ${seeds.slice(0, NAMED).join(', ')}${seeds.length > NAMED ? ' …' : ''}: ${why}`)
    .join('');
}

/** The seeds that are known first, then the default ones, few at a time. */
function* inOrder(known: readonly number[], count: number): Iterable<readonly number[]> {
  for (const seed of known) yield [seed];
  for (let at = 1; at <= count; at += BATCH)
    yield Array.from({ length: Math.min(BATCH, count + 1 - at) }, (_, i) => at + i);
}
