import type { SimNode } from '../node/node';
import type { SimProcess } from '../world/sim-process';
import { aWhile, type Fault, type FaultContext } from './context';

/**
 * PostgreSQL has two fences, in two processes: with both of them frozen nobody is left to fence it. That is a machine that is
 * frozen whole, but for the one process that must not be: no machine fails like that, and the design makes no promise for it.
 */
const hasOtherFence = (other: SimProcess | null): boolean => other?.isAlive !== true || other.isRunning;

const controllerKilled: Fault = (context) => {
  const node = context.victim();
  if (node.controllerProcess?.isAlive !== true || !hasOtherFence(node.runnerProcess)) return false;
  context.world.tell(node.name, () => 'FAULT     the controller is killed');
  node.killController();
  context.during(context.random.magnitude(2, 4000), () => node.startController());
  return true;
};

/** As SIGTERM does: one more beat, then everything is let go of but the lock. */
const controllerRestarted: Fault = ({ victim, world, random, during }) => {
  const node = victim();
  const { controller, controllerProcess } = node;
  if (controller === null || controllerProcess?.isRunning !== true || !hasOtherFence(node.runnerProcess)) return false;
  world.tell(node.name, () => 'FAULT     the controller is stopped');
  const end = (): void => {
    controllerProcess.kill();
    if (node.controllerProcess === controllerProcess) node.controller = null;
    during(random.magnitude(2, 1000), () => node.startController());
  };
  controllerProcess.deliver(
    () =>
      void controller
        .lastBeat()
        .then(() => controller.stop())
        .then(end),
  );
  return true;
};

function freeze(context: FaultContext, node: SimNode, process: SimProcess | null, what: string): boolean {
  if (process?.isRunning !== true) return false;
  context.world.tell(node.name, () => `FAULT     ${what} is frozen`);
  process.freeze();
  context.during(aWhile(context), () => {
    if (node.isFrozen) return;
    context.world.tell(node.name, () => `fault     ${what} goes on`);
    process.thaw();
    if (node.server?.process === process) context.cluster.invariants.onWritable(node.server);
  });
  return true;
}

const controllerFrozen: Fault = (context) => {
  const node = context.victim();
  return hasOtherFence(node.runnerProcess) && freeze(context, node, node.controllerProcess, 'the controller');
};

const runnerFrozen: Fault = (context) => {
  const node = context.victim();
  if (node.controllerProcess?.isRunning !== true) return false;
  return freeze(context, node, node.runnerProcess, 'the runner');
};

const roleServerFrozen: Fault = (context) => {
  const node = context.victim();
  return freeze(context, node, node.roleServerProcess, 'the role-server');
};

const postgresFrozen: Fault = (context) => {
  const node = context.victim();
  const { server } = node;
  if (server === null || !freeze(context, node, server.process, 'PostgreSQL')) return false;
  context.cluster.invariants.onWritable(server);
  return true;
};

const roleServerKilled: Fault = ({ victim, world, random, during }) => {
  const node = victim();
  if (node.roleServerProcess?.isAlive !== true) return false;
  world.tell(node.name, () => 'FAULT     the role-server is killed');
  node.killRoleServer();
  during(random.magnitude(2, 4000), () => node.startRoleServer());
  return true;
};

const runnerKilled: Fault = ({ victim, world, random, during }) => {
  const node = victim();
  if (node.runnerProcess?.isAlive !== true) return false;
  world.tell(node.name, () => 'FAULT     the runner is killed');
  node.killRunner();
  during(random.magnitude(2, 3000), () => node.startRunner());
  return true;
};

/** Sometimes with statements at work that go on without it. */
const postmasterKilled: Fault = ({ victim, world }) => {
  const { name, server } = victim();
  if (server?.hasPostmaster !== true) return false;
  world.tell(name, () => 'FAULT     the postmaster is killed');
  server.killPostmaster();
  return true;
};

export const processFaults = {
  controllerKilled,
  controllerRestarted,
  controllerFrozen,
  runnerKilled,
  runnerFrozen,
  roleServerKilled,
  roleServerFrozen,
  postmasterKilled,
  postgresFrozen,
} satisfies Record<string, Fault>;
