import { Coverage } from '../check/coverage';
import { converge, endure } from '../check/convergence';
import { FAULT_KINDS, Faults } from '../faults/faults';
import { STAGES } from '../faults/staged-faults';
import { World, type Violation } from '../world/world';
import { Random } from '../world/random';
import { begin } from './beginning';
import { Cluster } from './cluster';
import { letMemoryGoBack } from './memory-goes-back';
import { loseAllButOldData } from './only-old-data-is-left';
import { drawScenario, staged } from './scenario';
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

/** How likely all nodes but one burn down at the end. */
const ONLY_OLD_DATA_CHANCE = 0.012;
/** How long faults are kept away at first. */
const QUIET_MS = 200;

/** Of all seeds, those in which one fault is not healed together with the others. */
const STANDING_SHARE = 0.1;

/** Lets one world run from its beginning to its end. The same seed does the same, to the last byte of its transcript. */
export async function runSeed(
  seed: number,
  coverage: Coverage = new Coverage(),
  transcript: ((line: string) => void) | null = null,
): Promise<SeedResult> {
  const world = new World(seed, transcript);
  const scenario = staged(drawScenario(world.random, FAULT_KINDS), STAGES, new Random(seed, 6));
  const restore = noTimeButTheWorlds();
  try {
    const cluster = new Cluster(world, scenario, coverage);
    world.tell('world', () => `seed ${seed}: ${JSON.stringify(scenario)}`);
    begin(cluster);
    cluster.writers.start();
    const faults = new Faults(cluster);
    world.schedule(QUIET_MS, () => faults.start(scenario.faultsMs));
    await world.runUntil(QUIET_MS + scenario.faultsMs);
    // Drawn apart from all else: seeds without it do what they did before there was this question.
    const standing = new Random(seed, 6);
    if (standing.chance(STANDING_SHARE)) await endure(cluster, faults, standing);
    let convergedInMs = await converge(cluster, faults);
    if (scenario.memoryGoesBack && convergedInMs !== null) {
      await letMemoryGoBack(cluster, new Random(seed, 4));
      coverage.fault('memoryGoesBack');
      convergedInMs = await converge(cluster, faults);
    }
    // By a chance of its own, so that whatever comes before is the same with it and without it.
    const later = new Random(seed, 5);
    if (!scenario.memoryGoesBack && convergedInMs !== null && later.chance(ONLY_OLD_DATA_CHANCE)) {
      await loseAllButOldData(cluster, later);
      coverage.fault('onlyOldDataIsLeft');
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
