import type { ControllerState } from '@ha-postgres/cluster-state';
import { codeOf, messageOf, pause, Published, type GoneSignal, type Log, type Metrics } from '@ha-postgres/service-kit';
import type { Controller } from './controller-client';
import { parseControllerState } from './controller-state';

/** The newest state that is known; none before db-controller's first answer. */
export interface Snapshot {
  readonly index: number;
  readonly state: ControllerState | null;
}

/** What the routes answer from. */
export interface StateSource {
  readonly current: Snapshot;
  /** Whether db-controller answered the last time it was asked. */
  readonly isConnected: boolean;
  /** See `Published.waitBeyond`; an asker also waits, whatever its index, while there is no state at all. */
  waitBeyond(index: number, waitMs: number, signal: GoneSignal): Promise<Snapshot>;
}

/** How long db-controller may hold a question open, and how long we wait for that answer. */
const WAIT = '30s';
const ANSWER_TIMEOUT_MS = 35_000;

const FIRST_BACK_OFF_MS = 50;
const LAST_BACK_OFF_MS = 1_000;

/** Keeps asking db-controller for its state, for ever. */
export class Subscription implements StateSource {
  readonly #controller: Controller;
  readonly #log: Log;
  readonly #published = new Published<Snapshot>({ index: 0, state: null });
  readonly #connectedGauge;
  readonly #received;
  #isConnected = false;
  #backOffMs = FIRST_BACK_OFF_MS;

  constructor({ controller, log, metrics }: { controller: Controller; log: Log; metrics: Metrics }) {
    this.#controller = controller;
    this.#log = log;
    this.#connectedGauge = metrics.gauge('hapg_role_server_controller_connected', '1 while db-controller answers');
    this.#received = metrics.counter('hapg_role_server_states_total', 'States received from db-controller');
    this.#connectedGauge.set(0);
  }

  get current(): Snapshot {
    return this.#published.current;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  waitBeyond(index: number, waitMs: number, signal: GoneSignal): Promise<Snapshot> {
    const known = this.current.state === null ? this.current.index : index;
    return this.#published.waitBeyond(known, waitMs, signal);
  }

  /** Follows db-controller's state until `signal` is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#askOnce(signal);
      } catch (error) {
        await this.#backOff(error, signal);
      }
    }
  }

  async #backOff(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#lost(error);
    await pause(this.#backOffMs, signal);
    this.#backOffMs = Math.min(this.#backOffMs * 2, LAST_BACK_OFF_MS);
  }

  async #askOnce(signal: AbortSignal): Promise<void> {
    // After a break the state is asked for at once: the connection counts as restored only when it has been told.
    const query = this.#isConnected ? `?index=${this.current.index}&wait=${WAIT}` : '';
    const answer = await this.#controller.ask({
      method: 'GET',
      path: `/state${query}`,
      timeoutMs: ANSWER_TIMEOUT_MS,
      signal,
    });
    if (answer.status === 503) {
      // It is there and has decided nothing yet: no loss. The pause is for one that counts from lower again.
      this.#restored();
      await pause(FIRST_BACK_OFF_MS, signal);
      return;
    }
    if (answer.status !== 200) throw new Error(`db-controller answered ${answer.status}: ${answer.body.slice(0, 200)}`);
    const state = parseControllerState(answer.body);
    this.#received.inc();
    this.#restored();
    this.#publish(state);
  }

  #publish(state: ControllerState): void {
    const before = this.current.state;
    this.#published.publish({ index: state.index, state });
    if (before?.role !== state.role || before.ready !== state.ready) {
      const { role, ready, readyWhy, term, index } = state;
      this.#log.info(
        { event: 'role.told', role, ready, readyWhy, term, index },
        `db-controller tells: ${String(role)}`,
      );
    }
  }

  #restored(): void {
    if (!this.#isConnected) this.#log.info({ event: 'controller.connected' }, 'db-controller answers');
    this.#isConnected = true;
    this.#connectedGauge.set(1);
    this.#backOffMs = FIRST_BACK_OFF_MS;
  }

  #lost(error: unknown): void {
    const fields = { event: 'controller.lost', code: codeOf(error), err: error };
    // Once when it is lost; while it stays away each further try is only a detail.
    if (this.#isConnected || this.#backOffMs === FIRST_BACK_OFF_MS) this.#log.warn(fields, messageOf(error));
    else this.#log.debug(fields, messageOf(error));
    this.#isConnected = false;
    this.#connectedGauge.set(0);
  }
}
