import type { SwitchoverValue } from '@ha-postgres/cluster-state';
import type { SimNode } from '../node/node';
import type { Fault, FaultContext } from './context';
import { atNextDrain } from './triggers';

/** An administrator asks for a switchover, as `hapg switchover` does; now and then of the wrong node, or for one that cannot. */
const switchoverAsked: Fault = (context) => ask(context);

/** And something goes wrong while the Master hands over. */
const switchoverInterrupted: Fault = (context) => {
  const { cluster, random } = context;
  if (!ask(context)) return false;
  atNextDrain(cluster, (master) => context.world.schedule(random.magnitude(1, 400), () => interrupt(context, master)));
  return true;
};

function ask({ cluster, random, world }: FaultContext): boolean {
  const { consul, keys, nodes } = cluster;
  const names = [...nodes.keys()];
  const holder = cluster.lastHolder?.name;
  if (holder === undefined || names.length === 1) return false;
  const value: SwitchoverValue = {
    id: `wish-${world.now()}`,
    from: random.chance(0.9) ? holder : random.pick(names),
    to: random.chance(0.5) ? null : random.pick(names),
    by: 'administrator',
  };
  world.tell('admin', () => `FAULT     asks ${value.from} to hand over to ${value.to ?? 'the best'}`);
  consul.write({ verb: 'set', key: keys.switchover, value: JSON.stringify(value) });
  return true;
}

function interrupt(context: FaultContext, master: SimNode): void {
  const { cluster, random, world, during } = context;
  const others = [...cluster.nodes.values()].filter((node) => node !== master);
  const ms = random.between(300, 3000);
  switch (random.pick(['cut', 'cut', 'frozen', 'frozen', 'controller', 'killed'] as const)) {
    case 'cut':
      for (const { name } of others) during(ms, cluster.network.cut(master.name, name));
      return;
    case 'frozen':
      for (const { name, server } of others) {
        if (server?.process.isRunning !== true) continue;
        world.tell(name, () => 'FAULT     PostgreSQL is frozen while the Master drains');
        server.process.freeze();
        during(ms, () => server.process.thaw());
      }
      return;
    case 'controller':
      if (master.controllerProcess?.isAlive !== true || master.runnerProcess?.isRunning !== true) return;
      world.tell(master.name, () => 'FAULT     the controller is killed while it drains');
      master.killController();
      during(random.magnitude(2, 2000), () => master.startController());
      return;
    case 'killed':
      if (master.server?.hasPostmaster !== true) return;
      world.tell(master.name, () => 'FAULT     the postmaster is killed while it drains');
      master.server.killPostmaster();
  }
}

export const switchoverFaults = { switchoverAsked, switchoverInterrupted } satisfies Record<string, Fault>;
