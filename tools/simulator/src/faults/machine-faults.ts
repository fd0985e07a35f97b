import type { SimNode } from '../node/node';
import { aWhile, type Fault, type FaultContext } from './context';

const machineCrashed: Fault = ({ victim, random, during }) => {
  const node = victim();
  if (!node.isUp) return false;
  node.crash();
  during(random.magnitude(300, 5000), () => node.boot());
  return true;
};

/** All machines lose their power at once, and come back one after the other. */
const allMachinesCrashed: Fault = ({ cluster, random, during }) => {
  if (!random.chance(0.3)) return false;
  for (const node of cluster.nodes.values()) {
    if (!node.isUp) continue;
    node.crash();
    during(random.between(300, 3000), () => node.boot());
  }
  return true;
};

/** After a thaw the runner looks at its clock at once; it is late by the time that its process takes to be let run. */
const LOOKS_MS = 250;
/** A jump of wall time is looked for every 250 ms, then PostgreSQL is stopped, by the second fence at the latest. */
const JUMP_MS = 850;
/** One step of a clock is seen from a look before it to one after it. */
const NOTICED_AFTER = 1.2;

/** What the monotonic clock does meanwhile; and where it stands, whether wall time has moved on. */
type Clock = 'runs' | 'stands' | 'stands unnoticed';

/**
 * SIGSTOP to everything on it, or a virtual machine that is paused, whose monotonic clock may have stood still. The one case
 * that no lease covers: after the thaw its PostgreSQL may answer until its runner has looked at the clock, or, where the clock
 * stood still as well, until the lease ends by it.
 */
function frozenWhole(context: FaultContext, clock: Clock): boolean {
  const node = context.victim();
  if (!node.isUp || node.isFrozen) return false;
  freezeWhole(context, node, clock, aWhile(context) + 200);
  return true;
}

/** Thaws after so long, or by what this returns. */
export function freezeWhole(context: FaultContext, node: SimNode, clock: Clock, forMs: number): () => void {
  const { world, random, cluster, during } = context;
  const began = world.now();
  node.isFrozen = true;
  world.tell(node.name, () => `FAULT     the machine is frozen whole; its clock ${clock}`);
  if (clock !== 'runs') node.time.stand();
  for (const process of processesOf(node)) process.freeze();
  tellWritable(context, node);
  const thaw = (): void => {
    if (!node.isFrozen) return;
    node.isFrozen = false;
    world.tell(node.name, () => 'fault     the machine thaws');
    node.time.goOn(world.now() - began, clock === 'stands');
    const isNoticed = clock === 'stands' && world.now() - began > NOTICED_AFTER * (node.options.config.driftMargin + 1);
    const leaseMs = 1.3 * node.options.config.leaseDuration;
    cluster.invariants.excuse(node.name, 'frozen whole', clock === 'runs' ? LOOKS_MS : isNoticed ? JUMP_MS : leaseMs);
    node.server?.process.thaw();
    tellWritable(context, node);
    for (const process of processesOf(node)) world.schedule(random.between(0, 30), () => process.thaw());
  };
  during(forMs, thaw);
  return thaw;
}

function processesOf(node: SimNode) {
  const all = [node.controllerProcess, node.roleServerProcess, node.runnerProcess, node.server?.process];
  return all.filter((process) => process !== null && process !== undefined);
}

function tellWritable({ cluster }: FaultContext, { server }: SimNode): void {
  if (server !== null) cluster.invariants.onWritable(server);
}

const machineFrozen: Fault = (context) => frozenWhole(context, 'runs');
const machinePaused: Fault = (context) =>
  frozenWhole(context, context.random.chance(0.5) ? 'stands' : 'stands unnoticed');

const wallClockSet: Fault = ({ victim, world, random }) => {
  const { name, time } = victim();
  const byMs = random.pick([-3_600_000, -5000, -200, 200, 5000, 3_600_000]);
  world.tell(name, () => `FAULT     the wall clock is set by ${byMs} ms`);
  time.setWall(byMs);
  return true;
};

export const machineFaults = {
  machineCrashed,
  allMachinesCrashed,
  machineFrozen,
  machinePaused,
  wallClockSet,
} satisfies Record<string, Fault>;
