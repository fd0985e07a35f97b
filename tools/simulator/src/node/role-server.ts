import type { ControllerState, RoleAnswer, RunnerReport } from '@ha-postgres/cluster-state';
import { Published } from '@ha-postgres/service-kit';
import { takeReport } from '@ha-postgres/db-controller/controller';
import type { SimProcess } from '../world/sim-process';
import { call } from './calls';
import type { SimNode } from './node';

interface Snapshot {
  readonly index: number;
  readonly state: ControllerState | null;
}

const WAIT_MS = 30_000;
const FIRST_BACK_OFF_MS = 50;
const LAST_BACK_OFF_MS = 1000;

/** The node's only door, as role-server is one: it follows the controller's state, passes questions on, and decides nothing. */
export class RoleServer {
  private readonly published: Published<Snapshot>;
  private isConnected = false;

  constructor(
    readonly node: SimNode,
    readonly process: SimProcess,
  ) {
    this.published = new Published<Snapshot>({ index: 0, state: null }, process.clock);
    void this.follow();
  }

  get state(): ControllerState | null {
    return this.published.current.state;
  }

  /** GET /controller/role?index=…&wait=…; null: nothing is decided. */
  async role(index: number): Promise<RoleAnswer | null> {
    const known = this.state === null ? this.published.current.index : index;
    const { state } = await this.published.waitBeyond(known, WAIT_MS);
    if (state?.role == null) return null;
    const { bootId, node, role, validUntil, term, instruction, master } = state;
    return { index: state.index, bootId, node, role, validUntil, term, instruction, master };
  }

  report(report: RunnerReport): Promise<void> {
    return this.ask(2000, () => {
      const { controller } = this.node;
      if (controller !== null) takeReport(controller.parts, report);
    });
  }

  /** Calls the controller of this node. */
  ask<T>(limitMs: number, serve: () => Promise<T> | T): Promise<T> {
    const { node, process } = this;
    const hop = (): number => node.random.between(0.05, 0.4);
    const to = (): SimProcess | null => node.controllerProcess;
    return call({ world: node.world, from: process, to, there: hop, back: hop, limitMs, serve });
  }

  private async follow(): Promise<void> {
    const { clock } = this.process;
    let backOffMs = FIRST_BACK_OFF_MS;
    while (this.process.isAlive) {
      try {
        const state = await this.ask(WAIT_MS + 5000, () => this.nextState());
        this.isConnected = true;
        backOffMs = FIRST_BACK_OFF_MS;
        if (state === null) await clock.pause(FIRST_BACK_OFF_MS);
        else this.published.publish({ index: state.index, state });
      } catch {
        this.isConnected = false;
        await clock.pause(backOffMs);
        backOffMs = Math.min(backOffMs * 2, LAST_BACK_OFF_MS);
      }
    }
  }

  private async nextState(): Promise<ControllerState | null> {
    const { controller } = this.node;
    if (controller === null) return null;
    const { states } = controller.parts.publisher;
    const index = this.isConnected ? this.published.current.index : -1;
    const state = await states.waitBeyond(index, WAIT_MS);
    return state.index === 0 ? null : state;
  }
}
