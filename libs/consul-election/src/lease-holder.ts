import type { Answered, ConsulApi, KvEntry } from './api';
import { systemClock, type Clock, type Millis, type Timer } from './clock';
import { isNoAnswer, messageOf } from './errors';
import type { LeaseTimes } from './lease';
import { LeaseRecord } from './lease-record';
import { beat, type AlsoWrite, type Refused, type Unchanging, type Written } from './lock';
import type { Log } from './log';
import { firstAnswer, type PathsOptions } from './paths';
import { releaseUntil, type ReleaseOutcome } from './release-loop';

/** No path answered within the time limit of a beat. */
export interface Unanswered {
  readonly done: false;
  readonly why: 'unanswered';
  readonly errors: readonly [];
  readonly sentAt: Millis;
}

export type BeatResult = Written | Refused | Unchanging | Unanswered;

export interface LeaseHolderOptions {
  readonly client: ConsulApi;
  readonly key: string;
  /** The session with which the key was acquired; it serves this hold and no other. */
  readonly session: string;
  readonly times: LeaseTimes;
  readonly clock?: Clock;
  readonly log: Log;
  /**
   * The key's value, asked for at each sending, with what is written in one transaction with it. It must contain the number of the
   * beat: only a value that is new is seen by others.
   */
  readonly value: (beat: number, also: readonly AlsoWrite[]) => string;
  readonly onExtended?: (endsAt: Millis) => void;
  /** Each beat that was written: the key as it was then. Answers may come in another order than the beats were written in. */
  readonly onWritten?: (entry: KvEntry, times: Answered) => void;
  /** Once, when Consul said that the hold is lost. The lease runs on to its end. */
  readonly onLost?: (why: string) => void;
  /** For each beat that stayed without an answer for `hedgeAfterMs`; with the age of the oldest such beat. */
  readonly onUnanswered?: (sinceMs: number) => void;
  /** How long the agent may be silent until the servers are asked too. Default 300 ms. */
  readonly hedgeAfterMs?: number;
  /** Above this number of unanswered beats the oldest is dropped. Default 8. */
  readonly inFlightMax?: number;
  /** Time limit of one beat. Default 7.5 s: servers hold requests for up to 7 s in an election. */
  readonly beatTimeoutMs?: number;
  /** Number of the first beat, default 1. Whoever resumes a hold goes on above the number that stands in Consul. */
  readonly firstBeat?: number;
}

/** One beat and its copies over several paths. */
interface Flight {
  readonly abort: AbortController;
  running: number;
}

const UNCHANGED_PAUSE_MS = 5;
const SERVERS_EVERY_MS = 30_000;

/**
 * Keeps a lease: beats every `heartbeatIntervalMs` without waiting for the last answer, and knows when the right ends.
 * It never says that the right goes on: whoever acts asks {@link endsAt} and looks at the clock.
 */
export class LeaseHolder {
  private readonly record: LeaseRecord;
  private readonly clock: Clock;
  private readonly hedgeAfterMs: number;
  private readonly inFlight = new Set<Flight>();
  private readonly timers = new Set<Timer>();
  private nextBeat: number;
  private beating = false;
  private agentSilent = false;
  private serversLearntAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: LeaseHolderOptions) {
    this.clock = options.clock ?? systemClock;
    this.hedgeAfterMs = options.hedgeAfterMs ?? 300;
    this.nextBeat = options.firstBeat ?? 1;
    this.record = new LeaseRecord(options.times);
  }

  /** When the right ends, by this machine's monotonic clock; -Infinity before {@link start}. */
  get endsAt(): Millis {
    return this.record.endsAt;
  }
  /** Whether Consul said that the session does not hold the key any more. Final; no error makes it true. */
  get lost(): boolean {
    return this.record.lost !== null;
  }
  /** Sending time of the oldest beat that neither was answered nor overtaken by a later one that was; `null` if none. */
  get unansweredSince(): Millis | null {
    return this.record.unansweredSince;
  }
  /** The latest sending time of all beats that succeeded. */
  get lastAnsweredSentAt(): Millis {
    return this.record.lastAnsweredSentAt;
  }
  /** ModifyIndex of the own last write that was answered. */
  get modifyIndex(): number {
    return this.record.ownLastIndex;
  }

  /** Begins to beat, after an acquire that was answered. @throws Error if it beats already or the hold is over. */
  start(acquired: { readonly sentAt: Millis; readonly modifyIndex: number }): void {
    if (this.beating || this.lost)
      throw new Error(`the hold of ${this.options.key} by ${this.options.session} has begun already`);
    this.record.acquired(acquired.sentAt, acquired.modifyIndex);
    this.options.onExtended?.(this.record.endsAt);
    this.go(acquired.sentAt + this.options.times.heartbeatIntervalMs - this.clock.now());
  }

  /**
   * A beat beside the regular ones, for what must be known at once. Never throws. After a loss or a release nothing is
   * sent, and the answer is `unanswered`.
   */
  beatNow(extra: readonly AlsoWrite[] = []): Promise<BeatResult> {
    const sentAt = this.clock.now();
    const unanswered: Unanswered = { done: false, why: 'unanswered', errors: [], sentAt };
    if (this.lost || this.record.isClosed) return Promise.resolve(unanswered);
    this.record.sent(sentAt);
    const silence = this.watchForSilence(sentAt);
    const flight: Flight = { abort: new AbortController(), running: 0 };
    return firstAnswer(this.paths(), (via) => this.fly(flight, via, extra)).then(
      (result) => {
        // No beat up to this one is unanswered any more: nothing to wake up for.
        if (result.done) silence.cancel();
        return result;
      },
      (error: unknown) => {
        const fields = { key: this.options.key, why: messageOf(error) };
        if (isNoAnswer(error))
          this.options.log.debug({ event: 'lease.beat-unanswered', ...fields }, 'a beat got no answer');
        // Such as one that is too long: it will be refused again, and the lease run out.
        else
          this.options.log.warn({ event: 'lease.beat-not-taken', ...fields }, 'Consul refused the request of a beat');
        return unanswered;
      },
    );
  }

  /**
   * The members' promises (failsafe) extend the lease to `endsAt`; never backwards.
   * @returns false if the lease has ended, the hold is lost or a release was sent: a lease is never revived.
   */
  extendTo(endsAt: Millis): boolean {
    const before = this.record.endsAt;
    if (!this.record.promised(endsAt, this.clock.now())) return false;
    if (this.record.endsAt > before) this.options.onExtended?.(this.record.endsAt);
    return true;
  }

  /**
   * Frees the key with its last value. Stops beating first, and ends the right at once, whatever comes of it.
   *
   * `refused`: the session does not hold the key (any more). `unanswered`: it may be freed, now or later; whoever wants
   * to go on calls {@link resume}. Waits for `timeoutMs` at most (default 2 s).
   */
  release(
    finalValue: string,
    { timeoutMs = 2000, signal }: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<ReleaseOutcome> {
    this.halt();
    this.record.close(this.clock.now());
    const { client, key, session, log } = this.options;
    const request = { client, key, session, value: finalValue, ownLastIndex: this.record.ownLastIndex };
    return releaseUntil({ ...request, clock: this.clock, log, timeoutMs, ...(signal === undefined ? {} : { signal }) });
  }

  /**
   * Goes on with a hold: in a restarted process, or after a release that stayed unanswered. A beat that is sent now and
   * succeeds proves the unbroken hold, and makes every release that was sent before it fail.
   */
  async resume({ timeoutMs = this.options.times.leaseDurationMs }: { readonly timeoutMs?: number } = {}): Promise<
    'held' | 'refused' | 'unanswered'
  > {
    const until = this.clock.now() + timeoutMs;
    this.halt();
    this.record.reopen(this.nextBeat);
    while (this.clock.now() < until && !this.lost && !this.record.proven) {
      const next = Math.min(until, this.clock.now() + this.options.times.heartbeatIntervalMs);
      const result = await this.within(next, this.beatNow());
      // A value that stands already, of an earlier process: the next number makes another.
      if (result?.done === false && result.why !== 'not-held')
        await this.within(result.why === 'unchanged' ? this.clock.now() + UNCHANGED_PAUSE_MS : next);
    }
    if (this.lost) return 'refused';
    if (this.record.proven) {
      this.go(this.options.times.heartbeatIntervalMs);
      return 'held';
    }
    // Answers that come later belong to an attempt that was given up.
    this.halt();
    this.record.close(this.clock.now());
    return 'unanswered';
  }

  /** Stops beating and drops what is under way. The lease runs on to its end. */
  stop(): void {
    this.halt();
    this.inFlight.forEach((flight) => flight.abort.abort());
  }

  private go(firstAfterMs: number): void {
    this.beating = true;
    this.learnServers();
    this.later(firstAfterMs, () => this.tick());
  }

  private halt(): void {
    this.beating = false;
    this.timers.forEach((timer) => timer.cancel());
    this.timers.clear();
  }

  private tick(): void {
    if (!this.beating) return;
    this.later(this.options.times.heartbeatIntervalMs, () => this.tick());
    this.learnServers();
    void this.beatNow();
  }

  private paths(): PathsOptions {
    const hedgeAfterMs = this.agentSilent ? 0 : this.hedgeAfterMs;
    return {
      paths: this.options.client.paths(),
      hedgeAfterMs,
      clock: this.clock,
      onHedge: () => (this.agentSilent = true),
    };
  }

  private async fly(flight: Flight, via: string, extra: readonly AlsoWrite[]): Promise<BeatResult> {
    flight.running += 1;
    this.inFlight.add(flight);
    this.dropOldest();
    try {
      return await this.sendOver(via, extra, flight.abort.signal);
    } finally {
      flight.running -= 1;
      if (flight.running === 0) this.inFlight.delete(flight);
    }
  }

  // Every copy has a number and so a value of its own: a copy that changed nothing would not be seen by the others, who
  // count from the first, while its later sending time would extend the lease.
  private async sendOver(via: string, alsoWrite: readonly AlsoWrite[], signal: AbortSignal): Promise<BeatResult> {
    const { client, key, session, value } = this.options;
    const number = this.nextBeat++;
    const timeoutMs = this.options.beatTimeoutMs ?? 7500;
    const text = value(number, alsoWrite);
    const result = await beat(client, { key, session, value: text, alsoWrite }, { via, signal, timeoutMs });
    if (via === 'agent') this.agentSilent = false;
    const [entry] = result.done ? result.entries : [];
    if (entry !== undefined) this.options.onWritten?.({ ...entry, value: text }, result);
    this.answered(number, result);
    return result;
  }

  private answered(number: number, result: Written | Refused | Unchanging): void {
    const { log, key } = this.options;
    if (result.done) {
      const extended = this.record.succeeded(number, result.sentAt, result.modifyIndex);
      if (extended) this.options.onExtended?.(this.record.endsAt);
      if (this.record.olderValueStands && this.beating) void this.beatNow();
    } else if (result.why === 'not-held') {
      this.lose(result.errors.map((error) => error.what).join('; '));
    } else {
      log.warn(
        { event: 'lease.beat-refused', key, why: result.why, errors: result.errors },
        'a beat was refused, which says nothing about the lock',
      );
    }
  }

  private lose(why: string): void {
    if (this.lost || !this.beating) {
      this.record.refused(why);
      return;
    }
    this.record.refused(why);
    this.halt();
    this.options.log.warn({ event: 'lease.lost', key: this.options.key, why }, 'Consul says that the lock is lost');
    this.options.onLost?.(why);
  }

  private dropOldest(): void {
    const [oldest] = this.inFlight;
    if (oldest === undefined || this.inFlight.size <= (this.options.inFlightMax ?? 8)) return;
    this.inFlight.delete(oldest);
    oldest.abort.abort();
  }

  private watchForSilence(sentAt: Millis): Timer {
    return this.later(this.hedgeAfterMs, () => {
      const since = this.record.unansweredSince;
      if (since !== null && since <= sentAt && !this.lost) this.options.onUnanswered?.(this.clock.now() - since);
    });
  }

  private learnServers(): void {
    const now = this.clock.now();
    if (now - this.serversLearntAt < SERVERS_EVERY_MS) return;
    this.serversLearntAt = now;
    this.options.client.servers().catch((error: unknown) => {
      this.options.log.debug(
        { event: 'consul.servers-unknown', why: messageOf(error) },
        'the Consul servers could not be asked for',
      );
    });
  }

  private later(ms: number, fn: () => void): Timer {
    const scheduled = this.clock.schedule(ms, () => {
      this.timers.delete(timer);
      fn();
    });
    const timer: Timer = {
      cancel: () => {
        scheduled.cancel();
        this.timers.delete(timer);
      },
    };
    this.timers.add(timer);
    return timer;
  }

  /** The promise's value, or undefined when it takes longer than `until`. */
  private within<T>(until: Millis, promise?: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const timer = this.clock.schedule(until - this.clock.now(), () => resolve(undefined));
      promise?.then(
        (value) => {
          timer.cancel();
          resolve(value);
        },
        () => resolve(undefined),
      );
    });
  }
}
