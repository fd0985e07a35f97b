import type { Millis } from './clock';
import { leaseEnd, type LeaseTimes } from './lease';

interface Committed {
  readonly beat: number;
  readonly modifyIndex: number;
}

const WAITING_MAX = 64;

/**
 * What a holder may conclude from the answers to its beats, in whatever order they come. No clock, no I/O.
 *
 * The right ends at the greatest *sending time* + L of all beats that succeeded; nothing moves it back but a release.
 */
export class LeaseRecord {
  private end: Millis = Number.NEGATIVE_INFINITY;
  private lostWhy: string | null = null;
  private answeredSentAt: Millis = Number.NEGATIVE_INFINITY;
  /** Sending times of beats that no success has overtaken, oldest first. */
  private waiting: Millis[] = [];
  /** Beats below this number were sent before a release, and extend nothing. */
  private countsFrom = 0;
  private closed = false;
  private provenSinceReopened = false;
  private latest: Committed = { beat: -1, modifyIndex: 0 };
  private standing: Committed = { beat: -1, modifyIndex: 0 };

  constructor(private readonly times: LeaseTimes) {}

  get endsAt(): Millis {
    return this.end;
  }
  get lost(): string | null {
    return this.lostWhy;
  }
  get lastAnsweredSentAt(): Millis {
    return this.answeredSentAt;
  }
  get unansweredSince(): Millis | null {
    return this.waiting[0] ?? null;
  }
  /** ModifyIndex of the own write that stands in Consul, as far as known. */
  get ownLastIndex(): number {
    return this.standing.modifyIndex;
  }
  /** An older beat was committed after a newer one: Consul shows an old value until the next beat. */
  get olderValueStands(): boolean {
    return this.standing.beat < this.latest.beat;
  }

  /** A release was sent, and nothing since proved that it failed. */
  get isClosed(): boolean {
    return this.closed;
  }
  /** A beat that was sent after {@link reopen} succeeded. */
  get proven(): boolean {
    return this.provenSinceReopened;
  }

  acquired(sentAt: Millis, modifyIndex: number): void {
    this.closed = false;
    this.succeeded(0, sentAt, modifyIndex);
  }

  sent(sentAt: Millis): void {
    this.waiting.push(sentAt);
    // Only the oldest and the newest ones matter; without Consul the list must not grow for ever.
    if (this.waiting.length > WAITING_MAX) this.waiting.splice(1, 1);
  }

  /** True if the lease ends later now. */
  succeeded(beat: number, sentAt: Millis, modifyIndex: number): boolean {
    if (beat > this.latest.beat) this.latest = { beat, modifyIndex };
    if (modifyIndex > this.standing.modifyIndex) this.standing = { beat, modifyIndex };
    this.answeredSentAt = Math.max(this.answeredSentAt, sentAt);
    this.waiting = this.waiting.filter((other) => other > sentAt);
    if (this.closed || this.lostWhy !== null || beat < this.countsFrom) return false;
    this.provenSinceReopened = true;
    const end = leaseEnd(sentAt, this.times);
    if (end <= this.end) return false;
    this.end = end;
    return true;
  }

  /** Final: Consul said that the session does not hold the key. */
  refused(why: string): void {
    this.lostWhy ??= why;
  }

  /** Extends by the members' promises, never revives; false if that was not possible. */
  promised(endsAt: Millis, now: Millis): boolean {
    if (this.lostWhy !== null || this.closed || now >= this.end) return false;
    this.end = Math.max(this.end, endsAt);
    return true;
  }

  /** A release is about to be sent: the right ends now, and nothing that is under way brings it back. */
  close(now: Millis): void {
    this.closed = true;
    this.end = Math.min(this.end, now);
    this.waiting = [];
  }

  /** Goes on after an unanswered release: only beats from this number on, sent after it, count. */
  reopen(fromBeat: number): void {
    this.closed = false;
    this.provenSinceReopened = false;
    this.countsFrom = fromBeat;
  }
}
