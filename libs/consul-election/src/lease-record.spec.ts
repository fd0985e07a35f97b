import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultLeaseTimes as times } from './lease';
import { LeaseRecord } from './lease-record';

type Happening =
  | { readonly kind: 'answer'; readonly sentAt: number; readonly modifyIndex: number }
  | { readonly kind: 'promise'; readonly endsAt: number; readonly now: number }
  | { readonly kind: 'loss' }
  | { readonly kind: 'close'; readonly now: number };

const time = fc.integer({ min: 0, max: 20_000 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      sentAt: time,
      modifyIndex: fc.integer({ min: 1, max: 999 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('promise' as const), endsAt: time, now: time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loss' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), now: time }) },
);

describe('what a holder concludes from answers', () => {
  it('never gives a right beyond the sending of a beat that succeeded, or a promise made while it lasted', () => {
    fc.assert(
      fc.property(fc.array(happening), (happenings) => {
        const record = new LeaseRecord(times);
        let bound = Number.NEGATIVE_INFINITY;
        happenings.forEach((one, beat) => {
          const before = record.endsAt;
          const over = record.lost !== null || record.isClosed;
          if (one.kind === 'answer') {
            record.succeeded(beat, one.sentAt, one.modifyIndex);
            if (!over) bound = Math.max(bound, one.sentAt + times.leaseDurationMs);
          } else if (one.kind === 'promise') {
            const accepted = record.promised(one.endsAt, one.now);
            expect(accepted).toBe(!over && one.now < before);
            if (accepted) bound = Math.max(bound, one.endsAt);
          } else if (one.kind === 'loss') record.refused('gone');
          else {
            record.close(one.now);
            bound = Math.min(bound, one.now);
          }
          expect(record.endsAt).toBe(bound);
          if (over) expect(record.endsAt).toBeLessThanOrEqual(before);
        });
      }),
    );
  });

  it('ends at the same time in whatever order the same answers come', () => {
    const sentAts = fc.uniqueArray(time, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sentAts, fc.infiniteStream(fc.nat()), (sending, chance) => {
        const answers = sending.map((sentAt, index) => ({ beat: index, sentAt, order: Number(chance.next().value) }));
        const record = new LeaseRecord(times);
        answers
          .sort((a, b) => a.order - b.order)
          .forEach(({ beat, sentAt }) => record.succeeded(beat, sentAt, beat + 1));
        expect(record.endsAt).toBe(Math.max(...sending) + times.leaseDurationMs);
      }),
    );
  });

  it('counts as unanswered only what no later success has overtaken', () => {
    const record = new LeaseRecord(times);
    [100, 600, 1100].forEach((sentAt) => record.sent(sentAt));
    expect(record.unansweredSince).toBe(100);
    record.succeeded(2, 600, 5);
    expect(record.unansweredSince).toBe(1100);
    record.succeeded(1, 100, 4);
    expect(record.lastAnsweredSentAt).toBe(600);
    record.succeeded(3, 1100, 6);
    expect(record.unansweredSince).toBeNull();
  });

  it('notices that an older value stands after a newer one', () => {
    const record = new LeaseRecord(times);
    record.succeeded(2, 600, 5);
    record.succeeded(1, 100, 7);
    expect(record.olderValueStands).toBe(true);
    expect(record.ownLastIndex).toBe(7);
    record.succeeded(3, 1100, 8);
    expect(record.olderValueStands).toBe(false);
  });

  it('goes on after a release only by a beat that was sent after it', () => {
    const record = new LeaseRecord(times);
    record.acquired(0, 1);
    record.close(1000);
    record.reopen(5);
    expect(record.succeeded(4, 900, 2)).toBe(false);
    expect([record.proven, record.endsAt]).toEqual([false, 1000]);
    expect(record.succeeded(5, 1200, 3)).toBe(true);
    expect([record.proven, record.endsAt]).toEqual([true, 4200]);
  });

  it('forgets no oldest beat while Consul is away for hours', () => {
    const record = new LeaseRecord(times);
    for (let beat = 0; beat < 10_000; beat += 1) record.sent(beat);
    expect(record.unansweredSince).toBe(0);
  });
});
