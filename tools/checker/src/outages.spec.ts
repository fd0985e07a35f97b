import fc from 'fast-check';
import { History, type HistoryEvent } from './history';
import { longestGapAfter, outagesOf } from './outages';
import { serverOf } from './testing/stories';

/** Writes of one client that were acknowledged at these moments, the first of which was sent at 0. */
const acknowledgedAt = (...times: readonly number[]) => History.of(eventsOf('client0', 0, times));

function eventsOf(
  writer: string,
  firstId: number,
  times: readonly number[],
  direct: string | null = null,
): HistoryEvent[] {
  return times.flatMap((at, index): HistoryEvent[] => [
    { type: 'sent', at: times[index - 1] ?? 0, id: firstId + index, writer, direct },
    { type: 'acknowledged', at, id: firstId + index, by: serverOf(0, 1), connectedAt: 0 },
  ]);
}

describe('the write outage after a fault', () => {
  it('is the longest pause between acknowledgements that reaches past it', () => {
    expect(longestGapAfter(acknowledgedAt(0, 50, 60, 500, 510), 55)).toBe(440);
  });

  it('does not count pauses that were over before', () => {
    expect(longestGapAfter(acknowledgedAt(0, 900, 910, 920), 905)).toBe(10);
  });

  it('is unknown while nothing was acknowledged after it', () => {
    expect(longestGapAfter(acknowledgedAt(0, 10), 20)).toBeNull();
  });

  it('is never shorter than any single pause after it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 2 }), fc.nat(10_000), (times, fault) => {
        const sorted = [...times].sort((a, b) => a - b);
        const gap = longestGapAfter(acknowledgedAt(...sorted), fault);
        const [last, beforeLast] = [sorted.at(-1) ?? 0, sorted.at(-2) ?? 0];
        expect(gap === null).toBe(last <= fault);
        if (gap !== null) expect(gap).toBeGreaterThanOrEqual(last - beforeLast);
      }),
    );
  });
});

describe('the outages of a run', () => {
  it('are each client’s own: another that goes on hides nothing', () => {
    const events = [...eventsOf('client0', 0, [10, 500]), ...eventsOf('client1', 10, [100, 200, 300, 400, 500])];
    expect(outagesOf(History.of(events), 200)).toEqual([{ writer: 'client0', from: 10, to: 500, ms: 490 }]);
  });

  it('include one that is not over at the end, and one at the beginning', () => {
    const history = History.of([...eventsOf('client0', 0, [300]), { type: 'ended', at: 900 }]);
    expect(outagesOf(history, 200)).toMatchObject([
      { from: 300, to: null, ms: 600 },
      { from: 0, to: 300, ms: 300 },
    ]);
  });

  it('are those of clients, not of the prober', () => {
    expect(outagesOf(History.of(eventsOf('prober:node0', 0, [10, 5_000], 'node0')), 200)).toEqual([]);
  });
});
