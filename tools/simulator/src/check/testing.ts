import { begin } from '../run/beginning';
import { Cluster } from '../run/cluster';
import { drawScenario, type NodePlan } from '../run/scenario';
import { Random } from '../world/random';
import { World } from '../world/world';
import type { SimNode } from '../node/node';
import { whyNotWhole } from './convergence';
import { Coverage } from './coverage';

const LIMIT_MS = 60_000;

/** A cluster that was stopped and has begun again, whole; none of its nodes but the first may be Master unless `may` names it. */
export async function whole(count: number, may: (name: string) => boolean, changes: object = {}): Promise<Cluster> {
  const world = new World(1);
  const drawn = drawScenario(new Random(1, 9), []);
  const nodes = Array.from({ length: count }, (_, i): NodePlan => {
    const name = `n${i}`;
    return { name, rate: 1, fsyncMs: 1, lateMs: 0, lateness: 0, changes: may(name) ? {} : { noFailover: true } };
  });
  const config = { coldStartWait: 1000, ...changes };
  const cluster = new Cluster(
    world,
    { ...drawn, nodes, config, lagLimitBytes: 1024 * 1024, beginning: 'stopped' },
    new Coverage(),
  );
  begin(cluster);
  cluster.writers.start();
  await until(cluster, () => whyNotWhole(cluster) === null);
  return cluster;
}

export async function until({ world }: Cluster, holds: () => boolean): Promise<void> {
  const end = world.now() + LIMIT_MS;
  while (!holds() && world.now() < end) await world.runUntil(world.now() + 100);
  expect(world.violations).toEqual([]);
  expect(holds()).toBe(true);
}

/** The Master is gone for good. */
export function masterDies(cluster: Cluster): SimNode {
  const master = cluster.lastHolder;
  if (master === null) throw new Error('there is no Master');
  master.crash();
  return master;
}
