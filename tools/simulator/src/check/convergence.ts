import { takeoverOutlook } from '@ha-postgres/failover';
import { Administrator } from '../faults/administrator';
import type { Faults } from '../faults/faults';
import type { Cluster } from '../run/cluster';
import type { SimNode } from '../node/node';
import { INVARIANTS } from './invariants';

/** From the end of all faults until there must be a Master with all its Replicas streaming, in the world's milliseconds. */
export const BOUND_MS = 60_000;
const LOOK_MS = 250;

/** Heals everything and waits; how long it took, or null with a violation. */
export async function converge(cluster: Cluster, faults: Faults): Promise<number | null> {
  const { world } = cluster;
  const administrator = new Administrator(cluster);
  faults.heal();
  const healedAt = world.now();
  while (world.violations.length === 0) {
    if (whyNotWhole(cluster) === null) return world.now() - healedAt;
    if (world.now() - healedAt > BOUND_MS) {
      world.violated(INVARIANTS.converges, `${whyNotWhole(cluster) ?? ''}; ${outlooks(cluster)}`);
      return null;
    }
    administrator.look();
    await world.runUntil(world.now() + LOOK_MS);
  }
  return null;
}

/** What is still missing; null: a Master runs, and all others stream from it. */
export function whyNotWhole({ nodes, consul, keys, master: value }: Cluster): string | null {
  const entry = consul.fake.store.get(keys.master);
  const all = [...nodes.values()];
  const masters = all.filter(({ server }) => server?.canAcknowledge === true);
  const [master] = masters;
  if (masters.length !== 1 || master === undefined) return `${masters.length} nodes take writes`;
  if (entry?.session == null) return 'nobody holds the lock';
  if (value?.node !== master.name || value.phase !== 'running')
    return `${master.name} takes writes, and the key says ${entry.value}`;
  for (const node of all) {
    const why = node === master ? null : whyNotStreaming(node, master);
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
