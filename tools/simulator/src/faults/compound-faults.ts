import { CONSUL } from '../consul/consul-model';
import type { SimNode } from '../node/node';
import type { Fault, FaultContext } from './context';
import { atNextAcquire, atNextListOfMembers } from './triggers';

/** Faults that come together: each alone is survived by what the other takes away. */

function holderOf({ cluster }: FaultContext): SimNode | null {
  return cluster.lastHolder;
}

function cutOffConsul({ cluster, during }: FaultContext, { name }: SimNode, ms: number): void {
  during(ms, cluster.network.cut(name, CONSUL));
  during(ms, cluster.network.cut(CONSUL, name));
}

const leaseOf = ({ cluster }: FaultContext): number => cluster.scenario.config.leaseDuration ?? 3000;

/** The first fence is frozen when it is needed: the second one is all there is. */
const runnerFrozenThenConsulCut: Fault = (context) => {
  const node = holderOf(context);
  if (node?.runnerProcess?.isRunning !== true || node.controllerProcess?.isRunning !== true) return false;
  const { runnerProcess } = node;
  context.world.tell(node.name, () => 'FAULT     the runner is frozen, and Consul cut off');
  runnerProcess.freeze();
  cutOffConsul(context, node, 3 * leaseOf(context));
  context.during(3 * leaseOf(context), () => runnerProcess.thaw());
  return true;
};

/** The lock is lost and its holder does not hear of it; whoever takes the lock then fails as well, while that lease runs. */
const lockLostUnheard: Fault = (context) => {
  const { cluster, world, random } = context;
  const node = holderOf(context);
  const session = cluster.consul.fake.store.get(cluster.keys.master)?.session ?? null;
  if (node === null || session === null) return false;
  world.tell(node.name, () => 'FAULT     loses its session, and Consul is cut off');
  cutOffConsul(context, node, 2 * leaseOf(context));
  cluster.consul.fake.endSession(session);
  atNextAcquire(cluster, (next) =>
    world.schedule(random.between(5, leaseOf(context)), () => {
      if (next === node || next.server?.hasPostmaster !== true) return;
      world.tell(next.name, () => 'FAULT     the postmaster of the next holder is killed');
      next.server.killPostmaster();
    }),
  );
  return true;
};

/** The answer to a list of members is lost, and nobody but the new member hears of Consul any more. */
const outageWhileListing: Fault = (context) => {
  const { cluster, world, random } = context;
  if (!random.chance(0.5)) return false;
  atNextListOfMembers(cluster, (master) => {
    const others = [...cluster.nodes.values()].filter((node) => node !== master);
    const spared = others.length === 0 ? null : random.pick(others);
    world.tell(
      master.name,
      () => `FAULT     Consul is cut off from all but ${spared?.name ?? 'nobody'} while members are listed`,
    );
    for (const node of cluster.nodes.values()) if (node !== spared) cutOffConsul(context, node, 3 * leaseOf(context));
  });
  return true;
};

/**
 * The last answer that the holder gets from Consul comes late, but before it has begun to fence; all that it asks after that is
 * lost. Counted from its receipt, the lease would outlast what others wait for.
 */
const lastAnswerLate: Fault = (context) => {
  const { cluster, world, random, during } = context;
  const node = holderOf(context);
  if (node === null) return false;
  const leaseMs = leaseOf(context);
  world.tell(node.name, () => 'FAULT     the last answer of Consul is late');
  during(4 * leaseMs, cluster.network.slowDown(CONSUL, node.name, random.between(0.35, 0.65) * leaseMs));
  world.schedule(random.between(1, 500), () => during(3 * leaseMs, cluster.network.cut(node.name, CONSUL)));
  return true;
};

export const compoundFaults = {
  lastAnswerLate,
  runnerFrozenThenConsulCut,
  lockLostUnheard,
  outageWhileListing,
} satisfies Record<string, Fault>;
