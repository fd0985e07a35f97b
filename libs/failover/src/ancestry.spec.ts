import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { ancestry } from './ancestry';

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
