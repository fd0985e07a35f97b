import type { Random } from '../world/random';
import type { Cluster } from './cluster';

/**
 * Consul's data is lost, or an old snapshot restored, in a cluster that is whole. One node is away meanwhile, so that it cannot
 * tell by itself: the others must keep it from being Master.
 */
export async function letMemoryGoBack(cluster: Cluster, random: Random): Promise<void> {
  const { world, consul, nodes, invariants } = cluster;
  const master = cluster.lastHolder;
  const others = [...nodes.values()].filter((node) => node !== master);
  const away = others.length === 0 ? null : random.pick(others);
  const pass = (ms: number): Promise<void> => world.runUntil(world.now() + ms);

  const snapshot = random.chance(0.3) ? new Map() : consul.fake.store.snapshot();
  away?.crash();
  await pass(random.between(50, 500));
  // The history goes on without it: another Master, if there is a third node, or the same one again.
  master?.server?.killPostmaster();
  await pass(random.between(1, 3) * (cluster.scenario.config.leaseDuration ?? 3000));
  world.tell('consul', () => `FAULT     its memory goes back: ${snapshot.size} keys are left`);
  invariants.isMemoryBack = true;
  consul.fake.restore(snapshot);
  if (random.chance(0.5)) await pass(random.between(100, 2000));
  away?.boot();
}
