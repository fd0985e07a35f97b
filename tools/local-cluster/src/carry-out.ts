import type { Command } from './control';
import type { LocalCluster } from './local-cluster';
import { waitUntilSettled } from './settled';
import { parseTarget } from './target';

/** Longest time a new cluster may take until it has settled, in milliseconds. */
export const SETTLE_MS = 60_000;

/** Carries out what was asked over the control socket; `onDown` ends the owner. */
export async function carryOut(cluster: LocalCluster, command: Command, onDown: () => void): Promise<unknown> {
  switch (command.do) {
    case 'kill':
      return cluster.kill(parseTarget(command.target), command.keepDown);
    case 'freeze':
      return cluster.freeze(parseTarget(command.target));
    case 'thaw':
      return cluster.thaw(parseTarget(command.target));
    case 'start':
      cluster.startAgain(parseTarget(command.target));
      return null;
    case 'restart':
      return cluster.restart(parseTarget(command.target));
    case 'add':
      return cluster.addNode(command.node, command.settings);
    case 'remove':
      return cluster.removeNode(command.node);
    case 'cut':
      return cluster.cut(command.from, command.to, command.isOneWay);
    case 'slow':
      return cluster.slow(command.from, command.to, command.slowness);
    case 'heal':
      return cluster.heal(command.from, command.to);
    case 'status':
      return cluster.describe();
    case 'settled':
      return waitUntilSettled(() => cluster.describe(), SETTLE_MS);
    case 'down':
      setImmediate(onDown);
      return null;
    default:
      throw new RangeError(`unknown command ${JSON.stringify(command)}`);
  }
}
