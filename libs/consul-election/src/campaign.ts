import type { ConsulApi, KvEntry, KvRead } from './api';
import { pause, type Clock, type Millis } from './clock';
import { messageOf } from './errors';
import { leaseRanOut, sight, waitsUntil, type LeaseTimes, type PredecessorSight } from './lease';
import { leaderValueText, readLeaderValue, type LeaderValue } from './leader-value';
import { acquire, type Written } from './lock';
import type { Log } from './log';
import { firstAnswer } from './paths';
import { Session } from './session';

/** An acquire that succeeded. */
export interface Won {
  readonly session: Session;
  readonly sentAt: Millis;
  readonly modifyIndex: number;
  readonly value: LeaderValue;
  /** When the predecessor's lease is over: nothing may be done as leader before. */
  readonly mayStartAt: Millis;
}

export interface CampaignOptions {
  readonly client: ConsulApi;
  readonly key: string;
  readonly name: string;
  readonly times: LeaseTimes;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long one blocking query waits, and the pause after a failure or a lost race. */
const WAIT_MS = 10_000;
const PAUSE_MS = 200;

/** Watches the key until it can be acquired, and acquires it. */
export class Campaign {
  private seen: PredecessorSight | null = null;

  constructor(private readonly options: CampaignOptions) {}

  /** Null when `signal` was aborted. Errors of Consul are tried again, for ever. */
  async win(signal: AbortSignal | undefined): Promise<Won | null> {
    let index: number | undefined;
    while (signal?.aborted !== true) {
      try {
        const read = await this.look(index, signal);
        index = read.index < (index ?? 0) || read.index < 1 ? undefined : read.index;
        const won = await this.tryWith(read, signal);
        if (won !== null) return won;
      } catch (error) {
        index = undefined;
        this.options.log.debug(
          { event: 'leader.campaign-failed', key: this.options.key, why: messageOf(error) },
          'Consul did not answer a candidate',
        );
        await pause(this.options.clock, PAUSE_MS, signal);
      }
    }
    return null;
  }

  private async look(index: number | undefined, signal: AbortSignal | undefined): Promise<KvRead> {
    const { client, key, clock, times } = this.options;
    const aborting = signal === undefined ? {} : { signal };
    const left = this.seen === null ? 0 : waitsUntil(this.seen, times) - clock.now();
    const blocking = index === undefined || left <= 0 ? {} : { index, waitMs: Math.min(WAIT_MS, Math.ceil(left) + 1) };
    const read = await firstAnswer(
      { paths: client.paths(), hedgeAfterMs: 300 + ('waitMs' in blocking ? (blocking.waitMs * 17) / 16 : 0), clock },
      (via) => client.kvGet(key, { consistency: 'consistent', via, ...aborting, ...blocking }),
    );
    this.seen = sight(this.seen, read.entry, clock.now());
    return read;
  }

  private async tryWith(read: KvRead, signal: AbortSignal | undefined): Promise<Won | null> {
    const { seen } = this;
    if (seen === null) return null;
    const free = (read.entry?.session ?? null) === null;
    if (!free && !leaseRanOut(seen, read, this.options.times)) return null;
    const won = await this.tryToAcquire(read.entry, seen, !free);
    if (won === null) await pause(this.options.clock, PAUSE_MS, signal);
    return won;
  }

  private async tryToAcquire(
    decidedOn: KvEntry | null,
    seen: PredecessorSight,
    takeOver: boolean,
  ): Promise<Won | null> {
    const { client, key, name, times, clock, log } = this.options;
    const previous = decidedOn === null ? null : readLeaderValue(decidedOn.value);
    const value: LeaderValue = { name, term: (previous?.term ?? 0) + 1, beat: 0, phase: 'waiting', released: false };
    const cleared = decidedOn?.session === null && previous?.released === true;
    const session = await Session.create({ client, name: `${key} ${name}`, clock, log });
    const result = await this.acquireWith(session, decidedOn, leaderValueText(value), takeOver);
    if (result === null) return null;
    log.info({ event: 'leader.acquired', key, term: value.term, takeOver, cleared }, 'acquired the key');
    const mayStartAt = cleared ? clock.now() : waitsUntil(seen, times);
    return { session, sentAt: result.sentAt, modifyIndex: result.modifyIndex, value, mayStartAt };
  }

  // One path only: a second copy of an acquire would be refused by the first, and its answer misunderstood.
  private async acquireWith(
    session: Session,
    decidedOn: KvEntry | null,
    value: string,
    takeOver: boolean,
  ): Promise<Written | null> {
    const { client, key, times } = this.options;
    try {
      const request = { key, session: session.id, value, decidedOn, unchanged: [], takeOver };
      const result = await acquire(client, request, { timeoutMs: times.leaseDurationMs });
      if (result.done) return result;
    } catch (error) {
      // It may be committed, now or later: only the end of the session settles it.
      await session.destroy();
      throw error;
    }
    await session.destroy();
    return null;
  }
}
