import type { Cluster } from '../run/cluster';
import type { SimNode } from '../node/node';
import type { Random } from '../world/random';
import type { World } from '../world/world';

/** What a fault needs to happen, and to end. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly world: World;
  readonly random: Random;
  /** A node of the cluster; the one that holds the lock more often than the others. */
  readonly victim: () => SimNode;
  /** Ends the fault after so long, or when all is healed. */
  readonly during: (ms: number, undo: () => void) => void;
}

/** Lets a fault happen; false if it cannot happen now. */
export type Fault = (context: FaultContext) => boolean;

/** Mostly short, seldom long: milliseconds. */
export function aWhile({ random, cluster }: FaultContext): number {
  const { leaseDuration = 3000 } = cluster.scenario.config;
  return random.chance(0.4) ? random.magnitude(5, 500) : random.between(0.3, 2.2) * leaseDuration;
}
