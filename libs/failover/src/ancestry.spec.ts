import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { ancestry, commonHistory } from './ancestry';

function grew(term: number, parentTerm: number, forkLsn: string): HistoryEntry {
  return { term, parentTerm, timeline: 2, forkLsn, node: 'a', from: null, why: 'test', at: '', tookMs: 1 };
}

function judge(dataTerm: number, lsn: string | null, masterTerm: number, promotions: HistoryEntry[] | null) {
  const position = { lsn: lsn === null ? null : parseLsn(lsn), replayed: true };
  return ancestry({ term: masterTerm }, promotions === null ? null : { promotions }, { dataTerm }, position);
}

const CHAIN = [grew(2, 1, '0/200'), grew(4, 2, '0/400'), grew(5, 4, '0/500')];

describe('ancestry', () => {
  it("is the Master's own data, wherever its WAL ends and whatever the history says", () => {
    expect(judge(5, '9/0', 5, null)).toEqual({ kind: 'ancestor' });
  });

  it.each([
    [1, '0/200', 5, 'ancestor'],
    [1, '0/201', 5, 'diverged'],
    [2, '0/400', 5, 'ancestor'],
    [2, '0/401', 5, 'diverged'],
    [4, '0/500', 5, 'ancestor'],
    [3, '0/100', 5, 'diverged'],
    [4, null, 5, 'unknown'],
    [4, '0/1', 6, 'unknown'],
    [0, '0/1', 5, 'diverged'],
  ] as const)('of term %i up to %s for a Master of term %i: %s', (dataTerm, lsn, masterTerm, kind) => {
    expect(judge(dataTerm, lsn, masterTerm, CHAIN).kind).toBe(kind);
  });

  it('counts only up to the earliest fork on the way back', () => {
    const history = [grew(6, 5, '0/600'), grew(7, 6, '0/580')];
    expect(judge(5, '0/580', 7, history).kind).toBe('ancestor');
    expect(judge(5, '0/590', 7, history).kind).toBe('diverged');
  });

  it('is not known while the history, or its newest entry, has not been read', () => {
    expect(judge(1, '0/1', 2, null).kind).toBe('unknown');
    expect(judge(4, '0/1', 6, CHAIN)).toEqual({ kind: 'unknown', why: 'the history does not tell how term 6 began' });
  });

  it('cannot be shown where a term further back is missing, and never will be', () => {
    const why = 'the history does not tell how term 3 began';
    expect(judge(1, '0/1', 5, [grew(5, 3, '0/500')])).toEqual({ kind: 'diverged', why });
  });

  it("never gives up data that is newer than the Master's: only Consul's memory can have gone back", () => {
    expect(judge(7, '0/1', 5, CHAIN).kind).toBe('unknown');
  });

  it('takes the torn beginning of a record, received and never replayable, for no WAL at all', () => {
    const history = { promotions: [grew(2, 1, '0/200')] };
    const torn = { lsn: parseLsn('0/280'), replayedLsn: parseLsn('0/200') };
    const judgeTorn = (replayed: boolean) => ancestry({ term: 2 }, history, { dataTerm: 1 }, { ...torn, replayed });
    expect(judgeTorn(true).kind).toBe('ancestor');
    expect(judgeTorn(false).kind).toBe('unknown');
  });

  it('ends for every history, also one that goes in circles', () => {
    const term = fc.integer({ min: 0, max: 6 });
    const position = fc.bigInt({ min: 0n, max: 9n }).map((value) => value as Lsn);
    const entry = fc.tuple(term, term, position).map(([a, b, lsn]) => grew(a, b, formatLsn(lsn)));
    const kinds = new Set<string>();
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), term, term, position, (history, own, masters, lsn) => {
        kinds.add(judge(own, formatLsn(lsn), masters, history).kind);
      }),
      { numRuns: 2000 },
    );
    expect([...kinds].sort()).toEqual(['ancestor', 'diverged', 'unknown']);
  });
});

describe('the history that data has in common with a Master', () => {
  const common = (dataTerm: number, masterTerm: number, promotions: HistoryEntry[] | null) => {
    const history = promotions === null ? null : { promotions };
    const { forkLsn, timelines } = commonHistory(masterTerm, history, dataTerm);
    return { fork: forkLsn === null ? null : formatLsn(forkLsn), timelines };
  };
  const first = grew(1, 0, '0/100');

  it('ends where its term was left, whatever was gone through since', () => {
    expect(common(1, 5, [first, ...CHAIN])).toEqual({ fork: '0/200', timelines: [2, 2, 2] });
    expect(common(4, 5, [first, ...CHAIN])).toEqual({ fork: '0/500', timelines: [2] });
  });

  it('ends at the earliest fork where a term was recorded before any of its WAL had come', () => {
    expect(common(5, 7, [grew(6, 5, '0/600'), grew(7, 6, '0/580')]).fork).toBe('0/580');
  });

  it('of a Master that nobody heard of ends where either left the term of both', () => {
    const history = [
      grew(4, 2, '0/400'),
      { ...grew(5, 4, '0/600'), timeline: 3 },
      { ...grew(8, 4, '0/550'), timeline: 3 },
    ];
    expect(common(5, 8, history)).toEqual({ fork: '0/550', timelines: [3] });
    expect(common(5, 8, [...history, grew(9, 8, '0/700')]).fork).toBe('0/550');
  });

  it('is not known without the entries that lead there, or of data of an unknown term', () => {
    const unknown = { fork: null, timelines: [] };
    expect(common(1, 5, [grew(5, 3, '0/500')])).toEqual(unknown);
    expect(common(0, 5, CHAIN)).toEqual(unknown);
    expect(common(4, 5, null)).toEqual(unknown);
    expect(common(5, 5, CHAIN)).toEqual(unknown);
  });

  it('never reaches beyond where the data was judged to have left it', () => {
    const term = fc.integer({ min: 1, max: 6 });
    const at = fc.bigInt({ min: 1n, max: 9n }).map((value) => value as Lsn);
    const entry = fc.tuple(term, term, at).map(([a, b, lsn]) => grew(a, b % a, formatLsn(lsn)));
    fc.assert(
      fc.property(
        fc.uniqueArray(entry, { selector: (one) => one.term }),
        term,
        term,
        at,
        (promotions, own, masters, lsn) => {
          const position = { lsn, replayed: true };
          const judged = ancestry({ term: masters }, { promotions }, { dataTerm: own }, position);
          const { forkLsn } = commonHistory(masters, { promotions }, own);
          if (judged.kind === 'ancestor' && masters > own) expect(forkLsn).not.toBeNull();
          if (forkLsn !== null && masters > own)
            expect(judged.kind === 'ancestor').toBe(lsn <= forkLsn && isOn(promotions, own, masters));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

/** Whether `own` is among the terms that `term` grew from. */
function isOn(promotions: readonly HistoryEntry[], own: number, term: number): boolean {
  if (own === term) return true;
  const entry = promotions.find((one) => one.term === term);
  return entry !== undefined && entry.parentTerm > 0 && isOn(promotions, own, entry.parentTerm);
}
