import type { SimNode } from '../node/node';
import type { Scenario } from '../run/scenario';
import { cutOff, endHold, leaseOf, runningHolder } from './compound-faults';
import type { Fault, FaultContext } from './context';
import { freezeWhole } from './machine-faults';
import { atNextAcquire } from './triggers';

/**
 * Faults of several acts, each of which waits for what the one before brought about. Chance alone comes to such a thing too seldom; so
 * some seeds have one of these, and time enough for it.
 */

const LOOK_MS = 2;

/** Looks again and again, for so long at most; not any more when all is healed. */
function once({ world, during }: FaultContext, condition: () => boolean, limitMs: number, then: () => void): void {
  let isOver = false;
  during(limitMs, () => (isOver = true));
  const look = (): void => {
    if (isOver) return;
    if (condition()) then();
    else world.schedule(LOOK_MS, look);
  };
  look();
}

const others = ({ cluster }: FaultContext, ...but: readonly SimNode[]): SimNode[] =>
  [...cluster.nodes.values()].filter((node) => !but.includes(node));

const runs = ({ cluster }: FaultContext, node: SimNode): boolean =>
  cluster.master?.node === node.name && cluster.master.phase === 'running' && node.server?.canAcknowledge === true;

/** The lease of its predecessor, for a node that has taken the lock. */
function endsSoon({ controller, time }: SimNode): boolean {
  const hold = controller?.parts.facts.hold ?? null;
  return hold !== null && time.inWorld(hold.facts.waitUntil - time.now()) < 10;
}

const streamsFrom = (node: SimNode, from: SimNode): boolean =>
  node.server?.process.isRunning === true && node.server.receiver.from === from.name;

function cutBetween({ cluster, during }: FaultContext, a: SimNode, b: SimNode, ms: number): void {
  during(ms, cluster.network.cut(a.name, b.name));
  during(ms, cluster.network.cut(b.name, a.name));
}

/**
 * Whoever waited out its predecessor's lease loses its PostgreSQL before it promotes, and gives up. That release is held up on its way, and
 * its controller killed; started again it goes on with the hold, and promotes. Then the release arrives.
 */
const releaseHeldUp: Fault = (context) => {
  const { cluster, world, random, during } = context;
  const node = runningHolder(context);
  if (node === null) return false;
  world.tell(node.name, () => 'FAULT     loses its session, and Consul is cut off');
  cutOff(context, node, 2 * leaseOf(context));
  endHold(context);
  const { state } = cluster.consul;
  during(3 * leaseOf(context), () => (state.heldUp = null));
  const restart = (next: SimNode): void => {
    world.tell(next.name, () => 'FAULT     the controller is killed, its release is under way');
    next.killController();
    during(random.between(100, 300), () => next.startController());
  };
  const lose = (next: SimNode): void => {
    if (next.server?.hasPostmaster !== true) return;
    world.tell(next.name, () => 'FAULT     the postmaster is killed, and the release held up');
    const ms = random.between(0.5, 1.5) * leaseOf(context);
    state.heldUp = { node: next.name, ms, onSent: () => world.schedule(0, () => restart(next)) };
    next.server.killPostmaster();
  };
  atNextAcquire(cluster, (next) => {
    if (next !== node)
      once(
        context,
        () => endsSoon(next),
        3 * leaseOf(context),
        () => world.schedule(random.between(0, 12), () => lose(next)),
      );
  });
  return true;
};

/** A Master's machine is frozen whole, and thaws when its successor asks for votes, or has them and does not write yet. */
const thawedAmongVotes: Fault = (context) => {
  const { cluster, world, random } = context;
  const node = runningHolder(context);
  if (node === null || cluster.nodes.size < 3 || !node.isUp || node.isFrozen) return false;
  const thaw = freezeWhole(context, node, 'runs', 4 * leaseOf(context));
  endHold(context);
  atNextAcquire(cluster, (next) => {
    if (next === node) return;
    const hasVotes = (): boolean => next.controller?.parts.facts.votes?.complete === true;
    if (random.chance(0.4)) {
      once(context, hasVotes, 3 * leaseOf(context), () => world.schedule(random.between(0, 30), thaw));
      return;
    }
    once(
      context,
      () => endsSoon(next),
      3 * leaseOf(context),
      () => world.schedule(random.between(0, 14), thaw),
    );
  });
  return true;
};

/**
 * One Replica does not hear the Master any more, and writes go on with those that do. Then these are gone with the Master, or their
 * controllers stand still until the one that lacks the last writes has taken the lock.
 */
const laggardGoesFirst: Fault = (context) => {
  const { cluster, world, random, during } = context;
  const master = runningHolder(context);
  if (master === null || cluster.nodes.size < 3) return false;
  const laggard = random.pick(others(context, master));
  const informed = others(context, master, laggard);
  const ms = 4 * leaseOf(context);
  world.tell(laggard.name, () => 'FAULT     hears of the Master no more, which dies soon');
  cutBetween(context, master, laggard, ms);
  const areGone = random.chance(0.5);
  const die = (): void => {
    if (!runs(context, master)) return;
    master.crash();
    during(ms, () => master.boot());
    for (const node of informed) {
      if (areGone) {
        node.crash();
        during(random.between(2, 3) * leaseOf(context), () => node.boot());
      } else if (node.controllerProcess?.isRunning === true) {
        const { controllerProcess } = node;
        controllerProcess.freeze();
        const thaw = (): void => controllerProcess.thaw();
        during(2 * leaseOf(context), thaw);
        atNextAcquire(cluster, thaw);
      }
    }
  };
  world.schedule(random.between(150, 600), die);
  return true;
};

/**
 * A Replica is away while another takes over and is followed. Then all these are gone, and the one that was away comes back and is promoted:
 * it does not know of the timeline between, and makes another of the same number. Then the others come back.
 */
const sameTimelineTwice: Fault = (context) => {
  const { cluster, world, random, during } = context;
  const first = runningHolder(context);
  const replicas = first === null ? [] : others(context, first).filter((node) => streamsFrom(node, first));
  if (first?.server?.hasPostmaster !== true || replicas.length < 2) return false;
  const away = random.pick(replicas);
  const term = cluster.master?.term;
  const ms = 6 * leaseOf(context);
  world.tell(away.name, () => 'FAULT     is away while another takes over');
  away.crash();
  during(ms, () => away.boot());
  first.server.killPostmaster();
  const isFollowed = (): boolean => {
    const second = cluster.lastHolder;
    if (second === null || cluster.master?.term === term || !runs(context, second)) return false;
    const timeline = second.server?.database.timeline.number;
    return others(context, second).some(
      (node) => streamsFrom(node, second) && node.server?.database.timeline.number === timeline,
    );
  };
  const comesBack = (): void => {
    const rest = others(context, away);
    world.tell(away.name, () => 'FAULT     comes back, and all others are gone');
    for (const node of rest) node.crash();
    away.boot();
    const theyToo = (): void => rest.forEach((node) => world.schedule(random.between(0, 300), () => node.boot()));
    during(ms, theyToo);
    once(context, () => runs(context, away), ms, theyToo);
  };
  once(context, isFollowed, ms, () => world.schedule(random.between(50, 500), comesBack));
  return true;
};

/** The machine of the Master is paused, its monotonic clock with it; when it goes on, Consul is out of its reach. */
const pausedThenCutOff: Fault = (context) => {
  const { cluster } = context;
  const node = runningHolder(context);
  if (node === null || !node.isUp || node.isFrozen || cluster.nodes.size < 2) return false;
  cutOff(context, node, 6 * leaseOf(context));
  freezeWhole(context, node, 'stands', 2 * leaseOf(context));
  return true;
};

export const stagedFaults = {
  releaseHeldUp,
  thawedAmongVotes,
  laggardGoesFirst,
  sameTimelineTwice,
  pausedThenCutOff,
} satisfies Record<string, Fault>;

const isSynchronous = ({ config, nodes }: Scenario): boolean => config.replication !== undefined && nodes.length > 2;

/** Where each of them can show anything. */
export const STAGES: Readonly<Record<keyof typeof stagedFaults, (scenario: Scenario) => boolean>> = {
  releaseHeldUp: ({ nodes }) => nodes.length > 1,
  thawedAmongVotes: isSynchronous,
  laggardGoesFirst: isSynchronous,
  sameTimelineTwice: ({ config, nodes }) => config.replication === undefined && nodes.length > 2,
  // What may be written until the jump is noticed is excused: a short lease is over by then.
  pausedThenCutOff: ({ config, nodes }) => (config.leaseDuration ?? 3000) >= 3000 && nodes.length > 1,
};
