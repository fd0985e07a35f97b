import { readReply, showServersState, showStat, type HaproxyRuntime } from '@ha-postgres/haproxy-runtime';
import type { Log } from '@ha-postgres/service-kit';
import { currentState, type ServerNow } from './current-state';
import { difference, missingServers, type Change } from './difference';
import type { HoldPlug } from './hold-plug';
import { HOLD_SERVER, type Desired } from './plan-backends';
import { Wakeup } from './wakeup';

export interface HaproxySyncOptions {
  readonly runtime: Pick<HaproxyRuntime, 'batch'>;
  /** How often HAProxy is looked at while nothing changes: this is how soon a restarted one is noticed. */
  readonly pollIntervalMs: number;
  /** Whether what Consul said last is recent. */
  readonly isFresh: () => boolean;
  readonly log: Log;
  /** HAProxy answered. */
  readonly onAnswer: () => void;
  readonly onFailure: (why: string) => void;
  /** Called with what was done, `tookMs` after the wish for it or the discovery that it does not hold. */
  readonly onChanged: (changes: readonly Change[], tookMs: number) => void;
  /** HAProxy's own words say that the wish holds. */
  readonly onSettled: (desired: Desired, hold: Hold) => void;
  /** Puts the plug in by which clients wait; null: they never do. */
  readonly plug: Pick<HoldPlug, 'isIn' | 'putIn' | 'turnAway'> | null;
  readonly masterBackend: string;
  readonly now: () => number;
}

/** New clients wait; and whether this HAProxy could let them. */
export interface Hold {
  readonly holding: boolean;
  readonly canHold: boolean;
}

/** While HAProxy cannot be reached (it is being restarted) it is tried so often: connecting to a closed port costs nothing. */
const UNREACHABLE_RETRY_MS = 50;
/** After so many corrections in a row the rest waits for the next poll, so that a HAProxy that refuses is not besieged. */
const ROUNDS_MAX = 3;

const STATES = showServersState();
const STATS = showStat({ kinds: ['server'] });

/**
 * `states` is what a poll needs: again and again, it must be cheap. Sessions matter after a change, and where one may
 * have been interrupted between maint and the closing of sessions.
 */
type Look = 'states' | 'statesAndSessions';

/** Brings HAProxy into the desired state, and keeps it there: one loop, one batch at a time, and always with what HAProxy itself says. */
export class HaproxySync {
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  #desired: Desired | null = null;
  /** What HAProxy said last; null if it may have been restarted since. */
  #current: readonly ServerNow[] | null = null;
  #running: Promise<void> | null = null;
  #unreachable = false;
  #lastProblem = '';

  constructor(private readonly options: HaproxySyncOptions) {}

  /** What is wanted from now on. Before the first wish nothing is changed. */
  want(desired: Desired): void {
    this.#desired = desired;
    this.#wakeup.ring();
  }

  /** Looks at HAProxy now: it may be another one. */
  lookAgain(): void {
    this.#current = null;
    this.#wakeup.ring();
  }

  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Leaves HAProxy as it is. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let isNewWish = false;
    while (!signal.aborted) {
      const waitMs = await this.#cycle(isNewWish, signal).catch((error: unknown) => this.#failed(error, signal));
      isNewWish = await this.#wakeup.sleep(waitMs, signal);
    }
  }

  /**
   * Returns how long to wait before the next one. A new wish starts from what the last poll saw, which halves its way to
   * HAProxy; should that have changed meanwhile, reading back finds it, and a move is right from any state.
   */
  async #cycle(isNewWish: boolean, signal: AbortSignal): Promise<number> {
    const { pollIntervalMs, isFresh, onSettled, now } = this.options;
    const startedAt = now();
    const known = isNewWish ? this.#current : null;
    let current = known ?? (await this.#read(this.#current === null ? 'statesAndSessions' : 'states', signal));
    let isReadBack = known === null;
    for (let round = 0; ; round += 1) {
      const desired = this.#desired;
      if (desired === null) return pollIntervalMs;
      if (await this.#changeHold(desired, current, signal)) {
        current = await this.#read('statesAndSessions', signal);
        isReadBack = true;
      }
      const changes = difference(desired, current, { isFresh: isFresh() });
      if (changes.length === 0 && isReadBack) {
        this.#reportProblem(missingServers(desired, current));
        onSettled(desired, this.#holdIn(current));
        return pollIntervalMs;
      }
      if (round === ROUNDS_MAX) {
        this.#reportProblem(changes.map(({ commands }) => commands.map(({ line }) => line).join('; ')));
        return pollIntervalMs;
      }
      if (changes.length > 0) await this.#apply(changes, startedAt, signal);
      current = await this.#read('statesAndSessions', signal);
      isReadBack = true;
    }
  }

  /** First of all: who comes while the Master leaves is to wait already. True if something was done. */
  async #changeHold(desired: Desired, current: readonly ServerNow[], signal: AbortSignal): Promise<boolean> {
    const { plug, log } = this.options;
    const server = this.#holdServer(current);
    if (plug === null || server === undefined) return false;
    if (!desired.holding) {
      // A Master that serves takes whoever waits.
      if (desired.master === null && plug.isIn(server)) await plug.turnAway(signal);
      return false;
    }
    if (plug.isIn(server)) return false;
    try {
      await plug.putIn(server, signal);
      log.info({ event: 'hold.began' }, 'new clients wait for the next Master');
    } catch (error) {
      log.warn({ event: 'hold.failed', err: error }, 'new clients cannot wait for the next Master, and are refused');
      return false;
    }
    return true;
  }

  #holdServer(current: readonly ServerNow[]): ServerNow | undefined {
    return current.find(({ backend, server }) => backend === this.options.masterBackend && server === HOLD_SERVER);
  }

  #holdIn(current: readonly ServerNow[]): Hold {
    const { plug } = this.options;
    const server = this.#holdServer(current);
    if (plug === null || server === undefined) return { holding: false, canHold: false };
    return { holding: plug.isIn(server), canHold: true };
  }

  async #read(look: Look, signal: AbortSignal): Promise<readonly ServerNow[]> {
    const queries = look === 'states' ? [STATES] : [STATES, STATS];
    const [states, stats] = await this.options.runtime.batch(queries, { signal });
    if (states === undefined) throw new Error(`HAProxy did not answer "${STATES.line}"`);
    const current = currentState(readReply(STATES, states), stats === undefined ? [] : readReply(STATS, stats));
    this.options.onAnswer();
    if (this.#unreachable) this.options.log.info({ event: 'haproxy.answers' }, 'HAProxy answers again');
    this.#unreachable = false;
    this.#current = current;
    return current;
  }

  async #apply(changes: readonly Change[], startedAt: number, signal: AbortSignal): Promise<void> {
    const replies = await this.options.runtime.batch(
      changes.flatMap(({ commands }) => commands),
      { signal },
    );
    this.options.onChanged(changes, this.options.now() - startedAt);
    for (const reply of replies) {
      if (!reply.ok)
        this.options.log.warn(
          { event: 'haproxy.refused', command: reply.command.line, err: reply.error },
          reply.error.message,
        );
    }
  }

  #failed(error: unknown, signal: AbortSignal): number {
    this.#current = null;
    if (signal.aborted) return 0;
    const why = error instanceof Error ? error.message : String(error);
    this.options.onFailure(why);
    if (!this.#unreachable)
      this.options.log.warn({ event: 'haproxy.silent', err: error }, `HAProxy does not answer: ${why}`);
    this.#unreachable = true;
    return UNREACHABLE_RETRY_MS;
  }

  #reportProblem(problems: readonly string[]): void {
    const problem = problems.join('; ');
    if (problem !== this.#lastProblem && problem !== '') {
      this.options.log.warn({ event: 'haproxy.unsettled', problems }, `HAProxy is not as wanted: ${problem}`);
    }
    this.#lastProblem = problem;
  }
}
