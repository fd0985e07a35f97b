import type { CallOptions, ConsulApi } from './api';
import { systemClock, type Clock, type Timer } from './clock';
import { messageOf } from './errors';
import type { Log } from './log';
import { firstAnswer } from './paths';

export interface SessionOptions {
  readonly client: ConsulApi;
  readonly name: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Default 10 s, Consul's least. */
  readonly ttlMs?: number;
  /** Default a third of the TTL. */
  readonly renewEveryMs?: number;
  /** Once, when Consul says that the session does not exist. That the lock is lost is said by a beat. */
  readonly onGone?: () => void;
}

const RETRY_MS = 1000;
const CALL_MS = 3000;

/**
 * A session for **one** hold: after a loss, a release, a give-up or an unanswered acquire it is destroyed and another made.
 * It is bound to no check: the lease decides, and gossip that flaps must not end a hold. That it is renewed is no proof
 * that the key is still held; only a beat is.
 */
export class Session {
  private readonly clock: Clock;
  private timer: Timer | null = null;
  private stopped = false;
  private isGone = false;

  private constructor(
    readonly id: string,
    private readonly options: SessionOptions,
  ) {
    this.clock = options.clock ?? systemClock;
    this.renewIn(this.everyMs);
  }

  /** @throws NoAnswerError, ConsulError when it could not be made; one that was made unseen ends by its TTL. */
  static async create(options: SessionOptions, call: CallOptions = {}): Promise<Session> {
    const request = {
      name: options.name,
      ttlMs: options.ttlMs ?? 10_000,
      lockDelayMs: 0,
      behavior: 'release',
      nodeChecks: [],
    } as const;
    return new Session(await options.client.sessionCreate(request, call), options);
  }

  /** Goes on renewing a session that an earlier process made. Whether it still holds anything is said by {@link LeaseHolder.resume}. */
  static adopt(id: string, options: SessionOptions): Session {
    return new Session(id, options);
  }

  /** Whether Consul said that the session does not exist. */
  get gone(): boolean {
    return this.isGone;
  }

  private get everyMs(): number {
    return this.options.renewEveryMs ?? (this.options.ttlMs ?? 10_000) / 3;
  }

  /** Stops renewing; the session then ends by its TTL. */
  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /**
   * Ends the session in Consul, which frees what it holds without a last value: release first.
   * @returns false when no path answered; the session then ends by its TTL, which nobody renews.
   */
  async destroy(): Promise<boolean> {
    this.stop();
    const { client, log } = this.options;
    try {
      await this.overPaths((via) => client.sessionDestroy(this.id, { via, timeoutMs: CALL_MS }));
      return true;
    } catch (error) {
      log.warn(
        { event: 'session.destroy-unanswered', session: this.id, why: messageOf(error) },
        'the session ends by its TTL',
      );
      return false;
    }
  }

  private renewIn(ms: number): void {
    this.timer = this.clock.schedule(ms, () => void this.renew());
  }

  private async renew(): Promise<void> {
    const { client, log } = this.options;
    try {
      const answer = await this.overPaths((via) => client.sessionRenew(this.id, { via, timeoutMs: CALL_MS }));
      if (answer === 'gone') {
        this.end();
        return;
      }
      if (!this.stopped) this.renewIn(this.everyMs);
    } catch (error) {
      log.warn(
        { event: 'session.renew-unanswered', session: this.id, why: messageOf(error) },
        'the session could not be renewed',
      );
      if (!this.stopped) this.renewIn(Math.min(RETRY_MS, this.everyMs));
    }
  }

  private end(): void {
    if (this.stopped) return;
    this.stop();
    this.isGone = true;
    this.options.log.warn({ event: 'session.gone', session: this.id }, 'Consul does not know the session any more');
    this.options.onGone?.();
  }

  private overPaths<T>(attempt: (via: string) => Promise<T>): Promise<T> {
    return firstAnswer({ paths: this.options.client.paths(), hedgeAfterMs: 300, clock: this.clock }, attempt);
  }
}
