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
/**
 * Who rightly waits for the same reason for so long, though the lock can be taken, waits for good: an administrator who could help has
 * come by then, and what came of that. The rest of the time would show nothing more.
 */
const SETTLED_MS = 15_000;

/** Heals everything and waits; how long it took, or null with a violation. */
export async function converge(cluster: Cluster, faults: Faults): Promise<number | null> {
  faults.heal();
  const end = await becomesWhole(cluster, null, () => null);
  return end?.how === 'whole' ? end.inMs : null;
}

/** Heals all but one fault, waits until what is left is whole or rightly waits for a person, and ends that fault as well. */
export async function endure(cluster: Cluster, faults: Faults, random: Random): Promise<void> {
  faults.heal();
  // Faults that wait for their occasion would be a second one.
  cluster.disarm();
  const standing = letOneStand(cluster, random);
  if (standing === null) return;
  const { away, isGone } = standing;
  const end = await becomesWholeOrWaits(cluster, standing);
  if (end?.how === 'waits' && isGone && away !== null && goOnWithout(cluster, away))
    await becomesWhole(cluster, standing, () => null);
  standing.end();
}

/** How the wait for those that are left ends; null: with a violation. */
export async function becomesWholeOrWaits(cluster: Cluster, standing: Standing): Promise<End | null> {
  const { away } = standing;
  const end = await becomesWhole(cluster, standing, () => (away === null ? null : whyMayWait(cluster, away)));
  if (end?.how !== 'waits') return end;
  cluster.world.tell('world', () => `rightly without a Master: ${end.why}`);
  cluster.coverage.waited(end.why);
  return end;
}

/** What is gone comes back too late: a person goes on with what is left; false: nothing is left that could be gone on with. */
function goOnWithout(cluster: Cluster, away: SimNode): boolean {
  // Nobody says that what takes writes is down.
  if (away.server?.canAcknowledge === true) return false;
  const administrator = new Administrator(cluster, away);
  const heir = heirOf(cluster, away);
  return heir === null ? administrator.bootstrap(true) : administrator.failover(heir.name);
}

type End = { readonly how: 'whole'; readonly inMs: number } | { readonly how: 'waits'; readonly why: string };

/** `excuse`: why it need not become whole, as it stands now; null: it must. */
async function becomesWhole(
  cluster: Cluster,
  standing: Standing | null,
  excuse: () => string | null,
): Promise<End | null> {
  const { world } = cluster;
  const administrator = new Administrator(cluster, standing?.isGone === true ? standing.away : null);
  const healedAt = world.now();
  let settling: { readonly wait: string | null; readonly since: number } = { wait: null, since: healedAt };
  while (world.violations.length === 0) {
    const why = whyNotWhole(cluster, standing);
    if (why === null) return { how: 'whole', inMs: world.now() - healedAt };
    const wait = excuse();
    if (wait !== settling.wait || isHeldBy(cluster, standing?.away ?? null)) settling = { wait, since: world.now() };
    const isOver = world.now() - healedAt > BOUND_MS;
    if (wait !== null && (isOver || world.now() - settling.since >= SETTLED_MS)) return { how: 'waits', why: wait };
    if (isOver) {
      world.violated(standing === null ? INVARIANTS.converges : INVARIANTS.endures, `${why}; ${outlooks(cluster)}`);
      return null;
    }
    administrator.look();
    await world.runUntil(world.now() + LOOK_MS);
  }
  return null;
}

/** Its session outlives it for a while, and nobody can take over before. */
function isHeldBy({ consul, keys, master }: Cluster, node: SimNode | null): boolean {
  return consul.fake.store.get(keys.master)?.session != null && master?.node === node?.name;
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
