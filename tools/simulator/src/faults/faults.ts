import type { SimNode } from '../node/node';
import type { Cluster } from '../run/cluster';
import { Random } from '../world/random';
import { administratorFaults } from './administrator-faults';
import { compoundFaults } from './compound-faults';
import { consulFaults } from './consul-faults';
import type { Fault, FaultContext } from './context';
import { dataFaults } from './data-faults';
import { keyFaults } from './key-faults';
import { machineFaults } from './machine-faults';
import { networkFaults } from './network-faults';
import { postgresFaults } from './postgres-faults';
import { processFaults } from './process-faults';
import { stagedFaults } from './staged-faults';
import { switchoverFaults } from './switchover-faults';

const FAULTS: Readonly<Record<string, Fault>> = {
  ...processFaults,
  ...machineFaults,
  ...networkFaults,
  ...consulFaults,
  ...postgresFaults,
  ...administratorFaults,
  ...compoundFaults,
  ...switchoverFaults,
  ...dataFaults,
  ...keyFaults,
};

const ALL: Readonly<Record<string, Fault>> = { ...FAULTS, ...stagedFaults };

export const FAULT_KINDS: readonly string[] = Object.keys(FAULTS);

/** So long a fault of several acts has no other one beside it. */
const STAGE_LEASES = 5;

/** Lets faults happen at random, and ends all of them. */
export class Faults {
  private readonly random: Random;
  private readonly undone = new Set<() => void>();
  private isOver = false;
  private stageIsFreeAt = 0;

  constructor(private readonly cluster: Cluster) {
    this.random = new Random(cluster.world.seed, 3);
  }

  start(forMs: number): void {
    const { world, scenario } = this.cluster;
    const until = world.now() + forMs;
    const next = (): void => {
      const ms = -Math.log(1 - this.random.next()) * scenario.faultEveryMs;
      if (scenario.faultKinds.length === 0 || world.now() + ms > until) return;
      world.schedule(ms, () => {
        if (this.isOver) return;
        this.happen(this.random.pick(scenario.faultKinds));
        next();
      });
    };
    next();
  }

  /** Ends all faults, and starts whatever does not run. */
  heal(): void {
    this.isOver = true;
    const { world, nodes } = this.cluster;
    world.tell('world', () => '---- all faults end ----');
    for (const undo of [...this.undone]) undo();
    for (const node of nodes.values()) {
      node.boot();
      node.startRoleServer();
      node.startController();
      node.startRunner();
    }
  }

  private happen(kind: string): void {
    const { world, scenario, coverage } = this.cluster;
    const isStaged = kind in stagedFaults;
    if (isStaged && world.now() < this.stageIsFreeAt) return;
    if (ALL[kind]?.(this.context()) !== true) return;
    if (isStaged) this.stageIsFreeAt = world.now() + STAGE_LEASES * (scenario.config.leaseDuration ?? 3000);
    coverage.fault(kind);
  }

  private context(): FaultContext {
    const { cluster, random } = this;
    return {
      cluster,
      random,
      world: cluster.world,
      victim: () => this.victim(),
      during: (ms, undo) => this.during(ms, undo),
    };
  }

  private during(ms: number, undo: () => void): void {
    const once = (): void => {
      if (this.undone.delete(once)) undo();
    };
    this.undone.add(once);
    this.cluster.world.schedule(ms, once);
  }

  private victim(): SimNode {
    const { nodes, lastHolder } = this.cluster;
    return lastHolder !== null && this.random.chance(0.55) ? lastHolder : this.random.pick([...nodes.values()]);
  }
}
