import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KvEntry } from './api';
import {
  ABSENT,
  defaultLeaseTimes as times,
  fenceStart,
  leaseEnd,
  leaseRanOut,
  leaseTimesProblems,
  sight,
  waitsUntil,
} from './lease';

const entry = (modifyIndex: number): KvEntry => ({
  key: 'k',
  value: '',
  modifyIndex,
  createIndex: 1,
  lockIndex: 1,
  session: 's',
  flags: 0,
});

describe('a lease', () => {
  it('ends L after the beat was sent, and fencing begins before', () => {
    expect(leaseEnd(1000, times)).toBe(4000);
    expect(fenceStart(4000, times)).toBe(3300);
  });

  it('is waited out from the first sight of the last write', () => {
    const first = sight(null, entry(7), 1000);
    const later = sight(first, entry(7), 2000);
    expect(later).toEqual({ modifyIndex: 7, firstSeenAt: 1000 });
    expect(waitsUntil(later, times)).toBe(4300);
    expect(sight(later, entry(8), 2500)).toEqual({ modifyIndex: 8, firstSeenAt: 2500 });
  });

  it('is waited out anew when the index went back, and when the key is gone', () => {
    const seen = sight(null, entry(7), 1000);
    expect(sight(seen, entry(3), 2000).firstSeenAt).toBe(2000);
    expect(sight(seen, null, 2000)).toEqual({ modifyIndex: ABSENT, firstSeenAt: 2000 });
  });

  it('ran out only for a read that was issued after the wait and shows the same write', () => {
    const seen = sight(null, entry(7), 1000);
    expect(leaseRanOut(seen, { sentAt: 4300, entry: entry(7) }, times)).toBe(false);
    expect(leaseRanOut(seen, { sentAt: 4300.1, entry: entry(7) }, times)).toBe(true);
    expect(leaseRanOut(seen, { sentAt: 9000, entry: entry(8) }, times)).toBe(false);
    expect(leaseRanOut(seen, { sentAt: 9000, entry: null }, times)).toBe(false);
  });

  it('is over by the holder’s clock before another may take it, whatever the rates of their clocks within the margin', () => {
    const rate = fc.double({
      min: 1 - times.driftMarginMs / times.leaseDurationMs / 2.2,
      max: 1 + times.driftMarginMs / times.leaseDurationMs / 2.2,
      noNaN: true,
    });
    const ms = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(rate, rate, ms, ms, ms, (holderRate, otherRate, sent, toServer, toSight) => {
        const holderEnds = leaseEnd(sent * holderRate, times) / holderRate;
        const seen = sight(null, entry(7), (sent + toServer + toSight) * otherRate);
        return holderEnds <= waitsUntil(seen, times) / otherRate;
      }),
    );
  });

  it('refuses times that contradict each other, each with its values', () => {
    expect(leaseTimesProblems(times)).toEqual([]);
    const problems = leaseTimesProblems({ ...times, heartbeatIntervalMs: 1500, driftMarginMs: 0 });
    expect(problems).toHaveLength(3);
    expect(problems.join()).toContain('1500');
  });
});
