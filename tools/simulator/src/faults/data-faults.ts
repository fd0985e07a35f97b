import type { SimNode } from '../node/node';
import { aWhile, type Fault, type FaultContext } from './context';

/** Nodes that do not hold the lock. */
function replicasOf({ cluster }: FaultContext): SimNode[] {
  return [...cluster.nodes.values()].filter((node) => node !== cluster.lastHolder);
}

/** A Replica is away, and the others keep no WAL for it: `max_slot_wal_keep_size`, or somebody who dropped its slot. */
const walRemoved: Fault = (context) => {
  const { cluster, world, random, during } = context;
  const away = replicasOf(context).filter(({ isUp }) => isUp);
  if (away.length === 0) return false;
  const node = random.pick(away);
  world.tell(node.name, () => 'FAULT     is away, and no WAL is kept for it');
  node.crash();
  const ms = aWhile(context) + 300;
  for (const { name, behaviour } of cluster.nodes.values()) {
    if (name === node.name) continue;
    behaviour.keepsNoWal = true;
    during(ms, () => (behaviour.keepsNoWal = false));
  }
  during(ms, () => node.boot());
  return true;
};

/** The control file of a Replica cannot be read any more; its WAL can. */
const controlFileDamaged: Fault = (context) => {
  const { cluster, world, random } = context;
  const replicas = replicasOf(context).filter(({ disk }) => disk.data.database !== null && disk.marks.mark === null);
  // Without a Master it may be the only one that has everything.
  if (cluster.master?.phase !== 'running' || cluster.nodes.size < 3 || replicas.length === 0 || !random.chance(0.4))
    return false;
  const node = random.pick(replicas);
  world.tell(node.name, () => 'FAULT     its control file is damaged');
  node.disk.data.isDamaged = true;
  node.killPostgres();
  return true;
};

export const dataFaults = { walRemoved, controlFileDamaged } satisfies Record<string, Fault>;
