import type { ConsulApi, Consistency, KvEntry, Read } from './api';
import { pause, systemClock, type Clock, type Millis } from './clock';
import type { ConsulClient } from './consul-http';
import { messageOf } from './errors';
import type { Log } from './log';
import type { HealthyService, ServiceRead } from './service-health';
import { TokenBucket } from './token-bucket';
import { firstWatchState, watchStep, type WatchState } from './watch-step';

export interface Watched<T> {
  readonly value: T;
  readonly index: number;
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

export interface WatchCallbacks<T> {
  /** A value that differs from the last one, and the first. */
  readonly onValue: (value: T, meta: Watched<T>) => void;
  /** Every answer, also an unchanged one: a contact with Consul. Before `onValue`. */
  readonly onAnswer?: (answer: Watched<T>) => void;
  readonly onError?: (error: unknown, failuresInARow: number) => void;
}

export interface WatchOptions<T> extends WatchCallbacks<T> {
  /** One query; blocks where `index` is given. `attempt` counts the failures in a row before it. */
  readonly read: (
    index: number | undefined,
    waitMs: number,
    signal: AbortSignal,
    attempt: number,
  ) => Promise<Watched<T>>;
  /** Default: the same JSON. */
  readonly sameAs?: (a: T, b: T) => boolean;
  /** How long a query blocks, asked before each; default 60 s. */
  readonly waitMs?: number | (() => number);
  /** Back-off after failures: from `retryMinMs` (100) doubling to `retryMaxMs` (5000), each with up to half of it taken off by chance. */
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
  /**
   * Asks no more often than this in the long run; default 50 ms. For keys that mostly do not exist: Consul answers a query that
   * blocks on an absent key at every write of any key (1.8.7, measured).
   */
  readonly everyMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log: Log;
  /** For log lines. */
  readonly name?: string;
}

/** Five at once (a release, an acquire and two phases may follow within milliseconds), then twenty a second: less than a storm. */
const BURST = 5;
const EVERY_MS = 50;

/** A blocking query that is asked again for ever, whatever Consul answers, until {@link stop}. */
export class Watch<T> {
  private readonly clock: Clock;
  private readonly sameAs: (a: T, b: T) => boolean;
  private readonly bucket: TokenBucket;
  private abort: AbortController | null = null;
  private failures = 0;
  private answeredAt: Millis | null = null;

  constructor(private readonly options: WatchOptions<T>) {
    this.clock = options.clock ?? systemClock;
    this.bucket = new TokenBucket(BURST, options.everyMs ?? EVERY_MS);
    this.sameAs = options.sameAs ?? ((a, b) => JSON.stringify(a) === JSON.stringify(b));
  }

  /** When the last answer came; `null` before the first. */
  get lastAnswerAt(): Millis | null {
    return this.answeredAt;
  }

  /** Starting again begins anew: the first value is reported again. */
  start(): void {
    if (this.abort !== null) return;
    this.abort = new AbortController();
    void this.loop(this.abort.signal);
  }

  /** No callback is called afterwards. */
  stop(): void {
    this.abort?.abort();
    this.abort = null;
  }

  private async loop(signal: AbortSignal): Promise<void> {
    let state: WatchState<T> = firstWatchState;
    while (!signal.aborted) {
      await this.pause(this.bucket.take(this.clock.now()), signal);
      state = await this.once(state, signal);
    }
  }

  private async once(state: WatchState<T>, signal: AbortSignal): Promise<WatchState<T>> {
    const answer = await this.ask(state, signal);
    if (signal.aborted) return state;
    // After a failure it may be another Consul that answers, which began anew: blocking on an index that it has not reached yet, it
    // would say nothing until the wait is over.
    if (answer === null) return { ...state, index: undefined };
    this.failures = 0;
    this.answeredAt = answer.receivedAt;
    const step = watchStep(state, answer, this.sameAs);
    this.tell(() => this.options.onAnswer?.(answer));
    if (step.emit) this.tell(() => this.options.onValue(answer.value, answer));
    return step.state;
  }

  private async ask(state: WatchState<T>, signal: AbortSignal): Promise<Watched<T> | null> {
    try {
      const { waitMs = 60_000 } = this.options;
      return await this.options.read(
        state.index,
        typeof waitMs === 'number' ? waitMs : waitMs(),
        signal,
        this.failures,
      );
    } catch (error) {
      if (signal.aborted) return null;
      this.failures += 1;
      this.options.log.debug(
        { event: 'watch.failed', name: this.options.name, failures: this.failures, why: messageOf(error) },
        'a query failed',
      );
      this.tell(() => this.options.onError?.(error, this.failures));
      await this.pause(this.backOffMs(), signal);
      return null;
    }
  }

  private backOffMs(): number {
    const { retryMinMs = 100, retryMaxMs = 5000, random = Math.random } = this.options;
    const full = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.failures - 1, 20));
    return full * (1 - random() / 2);
  }

  // A callback that throws must not end the watch.
  private tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.options.log.error(
        { event: 'watch.callback-threw', name: this.options.name, err: error },
        'a callback of a watch threw',
      );
    }
  }

  private pause(ms: number, signal: AbortSignal): Promise<void> {
    return ms > 0 ? pause(this.clock, ms, signal) : Promise.resolve();
  }
}

export interface WatchSettings {
  readonly consistency?: Consistency;
  readonly waitMs?: number | (() => number);
  readonly everyMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log: Log;
}

/** After a failure the next path is taken, so that a watch outlives the agent. */
const pathOf = (paths: readonly string[], attempt: number): string => paths[attempt % paths.length] ?? 'agent';

const watched = <T>(value: T, { index, sentAt, receivedAt }: Read): Watched<T> => ({
  value,
  index,
  sentAt,
  receivedAt,
});

/** Watches one key; `null` where it does not exist. A change of its ModifyIndex counts as a change. */
export function watchKey(
  client: Pick<ConsulApi, 'kvGet' | 'paths'>,
  key: string,
  { consistency = 'default', ...settings }: WatchSettings,
  callbacks: WatchCallbacks<KvEntry | null>,
): Watch<KvEntry | null> {
  return new Watch<KvEntry | null>({
    name: key,
    ...settings,
    ...callbacks,
    sameAs: (a, b) => a?.modifyIndex === b?.modifyIndex && a?.session === b?.session,
    read: async (index, waitMs, signal, attempt) => {
      const blocking = index === undefined ? {} : { index, waitMs };
      const answer = await client.kvGet(key, {
        consistency,
        signal,
        via: pathOf(client.paths(), attempt),
        ...blocking,
      });
      return watched(answer.entry, answer);
    },
  });
}

/** Watches the instances of a service; with `passing` only the healthy ones. */
export function watchService(
  client: Pick<ConsulClient, 'serviceHealth' | 'paths'>,
  name: string,
  { consistency = 'default', passing = false, ...settings }: WatchSettings & { readonly passing?: boolean },
  callbacks: WatchCallbacks<readonly HealthyService[]>,
): Watch<readonly HealthyService[]> {
  return new Watch<readonly HealthyService[]>({
    name,
    ...settings,
    ...callbacks,
    read: async (index, waitMs, signal, attempt) => {
      const blocking = index === undefined ? {} : { index, waitMs };
      const options = { consistency, passing, signal, via: pathOf(client.paths(), attempt), ...blocking };
      const answer: ServiceRead = await client.serviceHealth(name, options);
      return watched(answer.services, answer);
    },
  });
}
