import { Administrator } from '../faults/administrator';
import type { SimNode } from '../node/node';
import type { Random } from '../world/random';
import type { Cluster } from './cluster';

/** From the crash of a Master until another runs, and from its return until it knows that. */
const PATIENCE_MS = 20_000;
/** A session outlives its holder by twice its TTL at most. */
const SESSION_MS = 25_000;
const ASK_AGAIN_MS = 500;

/**
 * A Master crashes in a cluster that is whole, and another takes over. When the first comes back, to data that was left behind, all
 * others burn down: an administrator lets the cluster go on with what is left.
 */
export async function loseAllButOldData(cluster: Cluster, random: Random): Promise<void> {
  const { world, nodes, scenario } = cluster;
  const first = cluster.lastHolder;
  if (first === null) return;
  const pass = (ms: number): Promise<void> => world.runUntil(world.now() + ms);
  first.crash();
  const isSucceeded = () => cluster.master?.phase === 'running' && cluster.lastHolder !== first;
  if (!(await cameTrue(cluster, isSucceeded, 20))) return;
  await pass(random.between(50, scenario.config.leaseDuration ?? 3000));
  first.boot();
  // What it is about to rejoin must be gone before it has.
  if (!(await cameTrue(cluster, () => isLeftBehind(first), 1))) return;
  for (const node of nodes.values()) if (node !== first) burn(node);
  await letTakeOver(cluster, first);
  await pass(random.between(0, 2000));
}

async function cameTrue({ world }: Cluster, isTrue: () => boolean, everyMs: number): Promise<boolean> {
  const until = world.now() + PATIENCE_MS;
  while (!isTrue() && world.now() < until && world.violations.length === 0) await world.runUntil(world.now() + everyMs);
  return isTrue();
}

function isLeftBehind({ controller }: SimNode): boolean {
  const record = controller?.parts.disk.record;
  return record?.deadMaster === true || (record?.rejoining ?? null) !== null;
}

function burn(node: SimNode): void {
  node.crash();
  node.world.tell(node.name, () => 'FAULT     its data directory is lost for good');
  node.disk.data.database = null;
  node.disk.data.isDamaged = false;
}

/** As `hapg failover --to NODE --accept-data-loss` does, asked again while the lost Master's session still holds the lock. */
async function letTakeOver(cluster: Cluster, { name }: SimNode): Promise<void> {
  const { world } = cluster;
  const administrator = new Administrator(cluster);
  const until = world.now() + SESSION_MS;
  while (!administrator.failover(name) && world.now() < until) await world.runUntil(world.now() + ASK_AGAIN_MS);
}
