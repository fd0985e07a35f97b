import { takeoverOutlook } from '@ha-postgres/failover';
import { Administrator } from '../faults/administrator';
import type { Faults } from '../faults/faults';
import { letOneStand, type Standing } from '../faults/standing';
import type { Cluster } from '../run/cluster';
import type { SimNode } from '../node/node';
import type { Random } from '../world/random';
import { INVARIANTS } from './invariants';
import { heirOf, whyMayWait } from './may-wait';

/** From the end of all faults until there must be a Master with all its Replicas streaming, in the world's milliseconds. */
export const BOUND_MS = 60_000;
const LOOK_MS = 250;

/** Heals everything and waits; how long it took, or null with a violation. */
export async function converge(cluster: Cluster, faults: Faults): Promise<number | null> {
  faults.heal();
  return becomesWhole(cluster, null, (why) => why);
}

/** Heals all but one fault, waits until what is left is whole or rightly waits for a person, and ends that fault as well. */
export async function endure(cluster: Cluster, faults: Faults, random: Random): Promise<void> {
  faults.heal();
  // Faults that wait for their occasion would be a second one.
  cluster.disarm();
  const standing = letOneStand(cluster, random);
  if (standing === null) return;
  const { away, isGone } = standing;
  const waits: string[] = [];
  await becomesWhole(cluster, standing, (why) => {
    const wait = away === null ? null : whyMayWait(cluster, away);
    if (wait === null) return why;
    waits.push(wait);
    cluster.world.tell('world', () => `rightly without a Master: ${wait}`);
    cluster.coverage.waited(wait);
    return null;
  });
  if (waits.length > 0 && isGone && away !== null && goOnWithout(cluster, away))
    await becomesWhole(cluster, standing, (why) => why);
  standing.end();
}

/** What is gone comes back too late: a person goes on with what is left; false: nothing is left that could be gone on with. */
function goOnWithout(cluster: Cluster, away: SimNode): boolean {
  // Nobody says that what takes writes is down.
  if (away.server?.canAcknowledge === true) return false;
  const administrator = new Administrator(cluster, away);
  const heir = heirOf(cluster, away);
  return heir === null ? administrator.bootstrap(true) : administrator.failover(heir.name);
}

/** `judged`: what of it is wrong when the time is over. */
async function becomesWhole(
  cluster: Cluster,
  standing: Standing | null,
  judged: (why: string) => string | null,
): Promise<number | null> {
  const { world } = cluster;
  const administrator = new Administrator(cluster, standing?.isGone === true ? standing.away : null);
  const healedAt = world.now();
  while (world.violations.length === 0) {
    const why = whyNotWhole(cluster, standing);
    if (why === null) return world.now() - healedAt;
    if (world.now() - healedAt > BOUND_MS) {
      const wrong = judged(why);
      if (wrong !== null)
        world.violated(standing === null ? INVARIANTS.converges : INVARIANTS.endures, `${wrong}; ${outlooks(cluster)}`);
      return null;
    }
    administrator.look();
    await world.runUntil(world.now() + LOOK_MS);
  }
  return null;
}

/** What is still missing; null: a Master runs, and all others but the one that is away stream from it. */
export function whyNotWhole(
  { nodes, consul, keys, master: value }: Cluster,
  standing: Pick<Standing, 'away' | 'isGone'> | null = null,
): string | null {
  const entry = consul.fake.store.get(keys.master);
  const all = [...nodes.values()];
  const masters = all.filter(({ server }) => server?.canAcknowledge === true);
  const [master] = masters;
  if (masters.length !== 1 || master === undefined) return `${masters.length} nodes take writes`;
  if (entry?.session == null) return 'nobody holds the lock';
  if (value?.node !== master.name || value.phase !== 'running')
    return `${master.name} takes writes, and the key says ${entry.value}`;
  const away = standing?.away ?? null;
  if (master === away && standing?.isGone === true) return `${master.name} is gone, and takes writes`;
  for (const node of all) {
    const why = node === master || node === away ? null : whyNotStreaming(node, master);
    if (why !== null) return `${node.name} ${why}`;
  }
  return null;
}

/** What the nodes themselves say keeps them from taking over. */
function outlooks({ nodes }: Cluster): string {
  const words = [...nodes.values()].map(({ name, controller }) =>
    controller === null ? `${name}: no controller` : `${name}: ${takeoverOutlook(controller.observation()).why}`,
  );
  return words.join('; ');
}

function whyNotStreaming({ server }: SimNode, master: SimNode): string | null {
  if (!server?.process.isAlive) return 'has no PostgreSQL running';
  if (server.receiver.from !== master.name) return `does not stream from ${master.name}`;
  return server.receiver.timeline === master.server?.database.timeline.number
    ? null
    : `is on timeline ${server.receiver.timeline}`;
}
