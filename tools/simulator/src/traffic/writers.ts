import type { Network } from '../world/network';
import { Random } from '../world/random';
import type { World } from '../world/world';
import type { Server } from '../postgres/server';
import type { WalRecord } from '../postgres/wal';
import type { LoadBalancer } from './load-balancer';

export interface Traffic {
  readonly world: World;
  readonly network: Network;
  readonly serverOf: (node: string) => Server | null;
  readonly nodes: readonly string[];
  readonly balancers: readonly LoadBalancer[];
  readonly onAcknowledged: (server: Server, record: WalRecord) => void;
}

const ANSWER_MS = 1500;

/** Clients that write: through the load balancers, and past them to every node whether it is the Master or not. */
export class Writers {
  private readonly random: Random;
  private writes = 0;
  private isOn = true;
  acknowledged = 0;

  constructor(private readonly traffic: Traffic) {
    this.random = new Random(traffic.world.seed, 300);
  }

  start(): void {
    for (const balancer of this.traffic.balancers) this.throughBalancer(balancer);
    this.straight(0);
  }

  stop(): void {
    this.isOn = false;
  }

  /** One client of a load balancer, one write after the other. */
  private throughBalancer(balancer: LoadBalancer): void {
    const { world } = this.traffic;
    const again = (): void => void world.schedule(this.random.between(30, 130), () => this.throughBalancer(balancer));
    if (!this.isOn) return;
    const node = balancer.process.isRunning ? balancer.route : null;
    if (node === null) {
      again();
      return;
    }
    this.write(balancer.name, node, 0, again);
  }

  /** A prober asks the nodes in turn; some of its statements take long before they commit. */
  private straight(turn: number): void {
    const { world, nodes } = this.traffic;
    if (!this.isOn) return;
    const node = nodes[turn % nodes.length];
    const thinkMs = this.random.chance(0.15) ? this.random.between(200, 1700) : 0;
    if (node !== undefined) this.write('prober', node, thinkMs, () => undefined);
    world.schedule(this.random.between(60, 140), () => this.straight(turn + 1));
  }

  private write(from: string, node: string, thinkMs: number, then: () => void): void {
    const { world, network, serverOf, onAcknowledged } = this.traffic;
    this.writes += 1;
    const write = this.writes;
    const there = network.link(from, node);
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      limit.cancel();
      then();
    };
    const limit = world.schedule(ANSWER_MS + thinkMs, end);
    if (there === null) return;
    world.schedule(there, () => {
      const server = serverOf(node);
      if (server?.takesConnections !== true) {
        world.schedule(1, end);
        return;
      }
      server.process.deliver(() =>
        server.write(write, this.random.whole(60, 600), thinkMs, (how, record) => {
          // Sent now: what becomes of the answer on its way changes nothing about that.
          const back = network.link(node, from);
          if (how === 'committed' && record !== null && back !== null) {
            this.acknowledged += 1;
            onAcknowledged(server, record);
          }
          if (back !== null) world.schedule(back, end);
        }),
      );
    });
  }
}
