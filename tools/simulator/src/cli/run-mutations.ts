import { join } from 'node:path';
import { MUTATIONS } from '../mutations';
import type { Mutation } from '../mutations/mutation';
import { bundleWorker } from './bundle';
import { print } from './print';
import type { Shown } from './report-file';
import { runOnWorkers, seedsFrom, traceOnWorker } from './workers';

export interface MutationRun {
  readonly root: string;
  readonly dist: string;
  /** The worker's bundle of the code as it is. */
  readonly bundle: string;
  /** So many seeds at most for each. */
  readonly seeds: number;
  readonly workers: number;
}

/**
 * Puts each mistake into the code (those whose names contain `only`, or all): the default seeds must find it, and find nothing in the
 * code as it is.
 */
export async function runMutations(only: string | boolean, run: MutationRun): Promise<readonly Shown[]> {
  const chosen = MUTATIONS.filter(({ name }) => only === true || name.includes(String(only)));
  const queue = [...chosen];
  const shown: Shown[] = [];
  const work = async (lane: number): Promise<void> => {
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      const told = await runMutation(mutation, join(run.dist, `mutated-${lane}.cjs`), run);
      shown.push({ what: `finds: ${mutation.name}`, isShown: told.isCaught });
      print(`${told.isCaught ? 'caught' : 'MISSED'}  ${mutation.name}: ${told.what}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(run.workers, chosen.length) }, (_, lane) => work(lane)));
  print(`${shown.filter(({ isShown }) => isShown).length} of ${chosen.length} mutations caught`);
  return shown;
}

async function runMutation(
  mutation: Mutation,
  mutated: string,
  { root, bundle, seeds }: MutationRun,
): Promise<{ readonly isCaught: boolean; readonly what: string }> {
  await bundleWorker(root, mutated, mutation);
  try {
    const sum = await runOnWorkers({ bundle: mutated, workers: 1, next: seedsFrom(1, seeds), untilViolation: true });
    const [first] = sum.violations;
    if (first?.violation == null) return { isCaught: false, what: `${sum.seeds} seeds without a violation` };
    const asItIs = await traceOnWorker(bundle, first.seed, () => undefined);
    const { invariant } = first.violation;
    return asItIs.violations.length === 0
      ? { isCaught: true, what: `seed ${first.seed}, ${invariant}` }
      : { isCaught: false, what: `seed ${first.seed} fails without it as well: ${invariant}` };
  } catch (error) {
    return { isCaught: false, what: String(error) };
  }
}
