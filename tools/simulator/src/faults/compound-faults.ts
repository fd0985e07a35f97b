import { CONSUL } from '../consul/consul-model';
import type { SimNode } from '../node/node';
import type { Fault, FaultContext } from './context';
import { atNextAcquire, atNextBeat, atNextListOfMembers } from './triggers';

/** Faults that come together: each alone is survived by what the other takes away. */

function holderOf({ cluster }: FaultContext): SimNode | null {
  return cluster.lastHolder;
}

/** Of the network between this node and Consul. */
export function cutOff({ cluster, during }: FaultContext, { name }: SimNode, ms: number): void {
  during(ms, cluster.network.cut(name, CONSUL));
  during(ms, cluster.network.cut(CONSUL, name));
}

/** The holder, where it says that it runs. */
export function runningHolder(context: FaultContext): SimNode | null {
  return context.cluster.master?.phase === 'running' ? holderOf(context) : null;
}

export const leaseOf = ({ cluster }: FaultContext): number => cluster.scenario.config.leaseDuration ?? 3000;

/** The first fence is frozen when it is needed: the second one is all there is. */
const runnerFrozenThenConsulCut: Fault = (context) => {
  const node = holderOf(context);
  if (node?.runnerProcess?.isRunning !== true || node.controllerProcess?.isRunning !== true) return false;
  const { runnerProcess } = node;
  context.world.tell(node.name, () => 'FAULT     the runner is frozen, and Consul cut off');
  runnerProcess.freeze();
  cutOff(context, node, 3 * leaseOf(context));
  context.during(3 * leaseOf(context), () => runnerProcess.thaw());
  if (context.random.chance(0.5)) endHold(context);
  return true;
};

/** The lock is lost and its holder does not hear of it; whoever takes the lock then fails as well, while that lease runs. */
const lockLostUnheard: Fault = (context) => {
  const { cluster, world, random } = context;
  const node = holderOf(context);
  if (node === null) return false;
  world.tell(node.name, () => 'FAULT     loses its session, and Consul is cut off');
  cutOff(context, node, 2 * leaseOf(context));
  endHold(context);
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
    for (const node of cluster.nodes.values()) if (node !== spared) cutOff(context, node, 3 * leaseOf(context));
  });
  return true;
};

/**
 * The last answer that the Master gets from Consul comes late, but before it has begun to fence; then it loses its lock, and
 * hears of nothing any more. Counted from the receipt of that answer, its lease would outlast what others wait for.
 */
const lastAnswerLate: Fault = (context) => {
  const { cluster, world, random, during } = context;
  const node = holderOf(context);
  if (node === null || cluster.master?.phase !== 'running') return false;
  const { leaseDuration, fenceTime, heartbeatInterval } = node.options.config;
  // Before that it would fence by the answer before.
  const lateMs = (leaseDuration - fenceTime - heartbeatInterval) * random.between(0.75, 0.97);
  world.tell(node.name, () => 'FAULT     the last answer of Consul is late');
  during(3 * leaseDuration, cluster.network.slowDown(CONSUL, node.name, lateMs));
  atNextBeat(cluster, () => {
    during(3 * leaseDuration, cluster.network.cut(node.name, CONSUL));
    world.schedule(random.between(0, 20), () => endHold(context));
  });
  return true;
};

/** So long before the end of the lease, by its own clock, whoever is to fence is let run again. */
const LAST_MOMENT_MS = 30;

/** The lock is lost, and both fences are held up for as long as they may be: the end of the lease is the end of the writes. */
const fencedAtTheLastMoment: Fault = (context) => {
  const { cluster, world, during } = context;
  const node = holderOf(context);
  if (node === null || cluster.master?.phase !== 'running' || node.isFrozen) return false;
  world.tell(node.name, () => 'FAULT     loses the lock, and fences at the last moment');
  cutOff(context, node, 3 * leaseOf(context));
  endHold(context);
  // What was on its way has arrived by then.
  world.schedule(20, () => {
    const { controller } = node;
    const endsAt = controller?.parts.facts.hold?.view.endsAt ?? null;
    if (endsAt === null) return;
    const inMs = (ms: number): number => node.time.inWorld(endsAt - node.time.now() + ms);
    world.schedule(inMs(-node.options.config.fenceTime - 5), () => {
      // After a restart of the machine its clock is another: that lease would never end.
      if (node.controller !== controller) return;
      const held = [node.controllerProcess, node.runnerProcess].filter((process) => process?.isRunning === true);
      for (const process of held) process?.freeze();
      // Who is asked for a vote and does not answer holds the successor up: this one refuses at once.
      node.killRoleServer();
      during(leaseOf(context), () => node.startRoleServer());
      during(inMs(-LAST_MOMENT_MS), () => held.forEach((process) => process?.thaw()));
    });
  });
  return true;
};

/** Its session ends, whoever holds the lock. */
export function endHold({ cluster }: FaultContext): void {
  const session = cluster.consul.fake.store.get(cluster.keys.master)?.session ?? null;
  if (session !== null) cluster.consul.fake.endSession(session);
}

export const compoundFaults = {
  lastAnswerLate,
  fencedAtTheLastMoment,
  runnerFrozenThenConsulCut,
  lockLostUnheard,
  outageWhileListing,
} satisfies Record<string, Fault>;
