import { Coverage } from '../check/coverage';
import { converge } from '../check/convergence';
import { FAULT_KINDS, Faults } from '../faults/faults';
import { World, type Violation } from '../world/world';
import { Random } from '../world/random';
import { begin } from './beginning';
import { Cluster } from './cluster';
import { letMemoryGoBack } from './memory-goes-back';
import { drawScenario } from './scenario';
import { noTimeButTheWorlds } from './no-real-time';

export interface SeedResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly steps: number;
  readonly virtualMs: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly promotions: number;
  readonly convergedInMs: number | null;
}

/** How long faults are kept away at first. */
const QUIET_MS = 200;

/** Lets one world run from its beginning to its end. The same seed does the same, to the last byte of its transcript. */
export async function runSeed(
  seed: number,
  coverage: Coverage = new Coverage(),
  transcript: ((line: string) => void) | null = null,
): Promise<SeedResult> {
  const world = new World(seed, transcript);
  const scenario = drawScenario(world.random, FAULT_KINDS);
  const restore = noTimeButTheWorlds();
  try {
    const cluster = new Cluster(world, scenario, coverage);
    world.tell('world', () => `seed ${seed}: ${JSON.stringify(scenario)}`);
    begin(cluster);
    cluster.writers.start();
    const faults = new Faults(cluster);
    world.schedule(QUIET_MS, () => faults.start(scenario.faultsMs));
    await world.runUntil(QUIET_MS + scenario.faultsMs);
    let convergedInMs = await converge(cluster, faults);
    if (scenario.memoryGoesBack && convergedInMs !== null) {
      await letMemoryGoBack(cluster, new Random(seed, 4));
      coverage.fault('memoryGoesBack');
      convergedInMs = await converge(cluster, faults);
    }
    const { invariants, writers } = cluster;
    const { promotions, lost } = invariants;
    return {
      seed,
      violation: world.violations[0] ?? null,
      steps: world.stepCount,
      virtualMs: world.now(),
      acknowledged: writers.acknowledged,
      lost,
      promotions,
      convergedInMs,
    };
  } finally {
    restore();
  }
}
