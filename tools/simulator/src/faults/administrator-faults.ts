import { BY_HAND } from '../check/invariants';
import type { Disk, SimNode } from '../node/node';
import type { WalRecord } from '../postgres/wal';
import { Database, FOREIGN, isForeign } from '../postgres/data-directory';
import { atNextAcquire } from './triggers';
import { aWhile, type Fault, type FaultContext } from './context';

const paused: Fault = (context) => {
  const { consul, keys } = context.cluster;
  const value = JSON.stringify({ id: 'pause', by: 'administrator', why: 'maintenance' });
  consul.write({ verb: 'set', key: keys.pause, value });
  context.world.tell('admin', () => 'FAULT     pauses takeovers');
  context.during(aWhile(context), () => consul.write({ verb: 'delete', key: keys.pause }));
  return true;
};

/**
 * Somebody types pg_promote(), now or right after the node has taken the lock. The runner ends that server as soon as it sees
 * it; whoever did it then puts the data back as it was (the system cannot know that it is of no term).
 */
const promotedByHand: Fault = (context) => {
  const { cluster, victim, world, random } = context;
  if (random.chance(0.3)) return promote(context, victim());
  atNextAcquire(cluster, (node) => world.schedule(random.between(0, 25), () => void promote(context, node)));
  return true;
};

function promote({ cluster, world }: FaultContext, { name, server, disk, runnerProcess }: SimNode): boolean {
  const { database } = disk.data;
  if (database === null || server?.inRecovery !== true || !server.isReady) return false;
  if (!server.process.isRunning || runnerProcess?.isRunning !== true) return false;
  const ledBefore = ledTermOf(disk);
  const before = database.copy();
  world.tell(name, () => 'FAULT     somebody promotes PostgreSQL by hand');
  const over = cluster.invariants.excuse(name, BY_HAND, Number.POSITIVE_INFINITY);
  server.promote();
  server.process.onExit(() => {
    over();
    // It may have become the Master by right at the same moment.
    if (!server.inRecovery && ledTermOf(disk) === ledBefore) disk.data.database = before;
  });
  return true;
}

/**
 * A disk that lied about what it had flushed: PostgreSQL and the controller of a node that has just taken the lock die
 * together, and what it had received last is gone when they come back.
 */
const diskLied: Fault = (context) => {
  const { cluster, world, random, during } = context;
  // A confirmation means that it is on disk: where that is a lie, no synchronous mode can help.
  if (cluster.scenario.config.replication !== undefined) return false;
  atNextAcquire(cluster, (node) =>
    world.schedule(random.between(0, 100), () => {
      const { server, disk } = node;
      const wal = disk.data.database?.wal;
      if (server?.inRecovery !== true || !server.process.isAlive || wal?.last == null) {
        diskLied(context);
        return;
      }
      world.tell(node.name, () => 'FAULT     PostgreSQL and the controller die, and the disk lied about the last WAL');
      node.killController();
      node.killPostgres();
      const lost = wal.from(0).slice(-random.whole(1, 20));
      wal.cut(lost[0]?.start ?? 0);
      during(random.between(100, 400), () => node.startController());
      // Nobody promotes a node that lags too far: an administrator finds the WAL again.
      during(random.between(500, 3000), () => giveBack(node, lost));
    }),
  );
  return true;
};

/** Where nothing else has been written since. */
function giveBack(node: SimNode, lost: readonly WalRecord[]): void {
  const wal = node.disk.data.database?.wal;
  if (wal === undefined || lost[0] === undefined || !wal.isNext(lost[0])) return;
  node.killPostgres();
  for (const record of lost) wal.append(record);
}

/** A volume of another cluster is attached while the machine is down, and taken away again when all is healed. */
const foreignVolume: Fault = ({ cluster, random, world, during }) => {
  const { nodes } = cluster;
  const others = [...nodes.values()].filter((one) => one.isUp && one !== cluster.lastHolder);
  if (nodes.size < 3 || others.length === 0 || !random.chance(0.2)) return false;
  const node = random.pick(others);
  const own = node.disk.data.database;
  // A cluster that is still being made may be wiped, and is then no volume to come back with.
  if (own === null || isForeign(own) || node.disk.marks.mark !== null) return false;
  node.crash();
  world.tell(node.name, () => 'FAULT     comes back with a volume of another cluster');
  node.disk.data.database = new Database(FOREIGN);
  during(random.between(300, 1500), () => node.boot());
  during(random.between(2000, 6000), () => {
    node.crash();
    if (node.disk.data.database !== null && isForeign(node.disk.data.database)) node.disk.data.database = own;
    node.boot();
  });
  return true;
};

function ledTermOf({ controller }: Disk): number | null {
  return (controller as { readonly ledTerm: number | null } | null)?.ledTerm ?? null;
}

export const administratorFaults = { paused, promotedByHand, diskLied, foreignVolume } satisfies Record<string, Fault>;
