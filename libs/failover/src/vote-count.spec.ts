import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HistoryEntry, SyncRule, VoteAnswer } from '@ha-postgres/cluster-state';
import { parseLsn, type Lsn } from '@ha-postgres/lsn';
import type { Observation } from './observation';
import {
  hold,
  known,
  lastMaster,
  readyToPromote,
  replica,
  standby,
  syncValue,
  unknown,
  vote,
} from './testing/observations';
import { compareData, countVotes, positionOf } from './vote-count';

const grew = (term: number, parentTerm: number, forkLsn: string): HistoryEntry => ({
  ...{ term, parentTerm, forkLsn, timeline: 2, node: 'a', from: null, why: 'test', at: '', tookMs: 1 },
});
const history = { promotions: [grew(6, 5, '0/500'), grew(7, 6, '0/600')] };
const at = (term: number, lsn: string) => positionOf(term, parseLsn(lsn), history);

describe('the position of data', () => {
  it('is of the term that was written down only beyond where that term began', () => {
    expect(at(6, '0/501')).toEqual({ term: 6, lsn: parseLsn('0/501') });
    expect(at(6, '0/500')).toEqual({ term: 5, lsn: parseLsn('0/500') });
    expect(at(7, '0/400')).toEqual({ term: 5, lsn: parseLsn('0/400') });
    expect(at(7, '0/550')).toEqual({ term: 6, lsn: parseLsn('0/550') });
  });

  it('so that an old one does not outrank newer data of the term before', () => {
    expect(compareData(at(6, '0/400'), at(5, '0/450'))).toBeLessThan(0);
    expect(compareData(at(6, '0/501'), at(5, '0/900'))).toBeGreaterThan(0);
  });

  it('is as written where the history does not tell', () => {
    expect(positionOf(9, 1n as Lsn, history)).toEqual({ term: 9, lsn: 1n });
    expect(positionOf(6, 1n as Lsn, null)).toEqual({ term: 6, lsn: 1n });
  });

  it('is found in every history, also one that goes in circles', () => {
    const term = fc.integer({ min: 1, max: 6 });
    const entry = fc.tuple(term, term).map(([one, parent]) => grew(one, parent, '0/500'));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), term, (promotions, one) => {
        return positionOf(one, 0x400n as Lsn, { promotions }).term <= one;
      }),
    );
  });
});

const any = (k: number, ...names: string[]): SyncRule => ({ mode: 'quorum', k, names });
const holding = (
  rule: SyncRule,
  votes: VoteAnswer[],
  change: Partial<Observation> = {},
  previous: SyncRule | null = null,
) => {
  const value = syncValue({ ...rule, previous });
  const o = readyToPromote({
    sync: known({ value, isReadable: true }),
    votes: { term: 6, startedAt: 0, complete: true, answers: votes },
    ...change,
  });
  return countVotes(o, o.hold ?? hold());
};

describe('a tail of WAL that the last Master’s history left out', () => {
  const told = { promotions: [grew(5, 4, '0/100'), grew(6, 5, '0/5000000')] };
  const value = syncValue({ term: 6, k: 2, names: ['b', 'c'] });
  const asks = (dataTerm: number, tail: string, promotions = told) => {
    const disk = { ...replica().disk, dataTerm: 6 };
    const answers = [vote('c', { term: 7, dataTerm, lsn: tail })];
    const o = readyToPromote({
      ...{ disk, sync: known({ value, isReadable: true }), history: known(promotions) },
      votes: { term: 7, startedAt: 0, complete: true, answers },
      hold: hold({ term: 7, last: lastMaster('x', { term: 6, lsn: '0/5000000' }) }),
    });
    return countVotes(o, o.hold ?? hold());
  };

  it('is no newer data: its Master had what was acknowledged before, and nobody could ever promote', () => {
    expect(asks(5, '0/5800000').may).toBe(true);
  });

  it('is newer data where the history does not tell that it was left out, or where it is the last Master’s own', () => {
    expect(asks(5, '0/5800000', { promotions: [grew(6, 3, '0/5000000')] }).may).toBe(false);
    expect(asks(6, '0/5800000')).toEqual({ may: false, why: 'c has newer data' });
  });
});

describe('a holder of the lock', () => {
  it('promotes with enough votes, its own among them if it is named', () => {
    expect(holding(any(1, 'b', 'c'), [vote('c')]).may).toBe(true);
    expect(holding(any(1, 'c'), [vote('c')]).may).toBe(true);
    expect(holding(any(2, 'b', 'c'), []).may).toBe(true);
  });

  it.each<[string, SyncRule, VoteAnswer[], SyncRule | null, string]>([
    ['too few of the rule', any(1, 'b', 'c'), [], null, 'has 1 votes of [b, c]; 2 are needed'],
    [
      'too few of the rule before it, which still stands',
      any(1, 'b'),
      [],
      any(1, 'b', 'c'),
      'has 1 votes of [b, c]; 2 are needed',
    ],
    ['votes of others than the named', any(1, 'c'), [vote('d'), vote('e')], null, 'has 0 votes of [c]'],
    ['none that were confirmed by a Replica at all', any(0), [vote('c')], null, 'only the last Master itself'],
    ['a vote that was not given', any(1, 'c'), [vote('c', { granted: false })], null, 'has 0 votes'],
    ['a vote that may have more than it says', any(1, 'c'), [vote('c', { replayed: false })], null, 'has 0 votes'],
    ['a vote without a position', any(1, 'c'), [vote('c', { lsn: null })], null, 'has 0 votes'],
    ['a vote that has lost its data', any(1, 'c'), [vote('c', { dataTerm: 0 })], null, 'has 0 votes'],
    [
      'newer data than its own',
      any(2, 'b', 'c'),
      [vote('c', { lsn: '0/5000001', candidate: false })],
      null,
      'c has newer data',
    ],
  ])('does not with %s', (_what, rule, votes, previous, why) => {
    const verdict = holding(rule, votes, {}, previous);
    expect(verdict.may).toBe(false);
    expect(verdict.why).toContain(why);
  });

  it('need not wait for newer data that nobody was told of: only the named confirm', () => {
    expect(holding(any(1, 'c'), [vote('c'), vote('d', { lsn: '0/9000000' })]).may).toBe(true);
  });

  it('counts a vote of this very term only', () => {
    const old = { term: 5, startedAt: 0, complete: true, answers: [vote('c')] };
    expect(holding(any(1, 'c'), [], { votes: old }).may).toBe(false);
  });

  it('needs none where it led last, nobody ran after it, and its data is still that', () => {
    const led = (change: object = {}) => ({
      hold: hold({ last: lastMaster('b') }),
      disk: { ...replica().disk, ledTerm: 5, ...change },
    });
    expect(holding(any(1, 'c'), [], led()).may).toBe(true);
    expect(holding(any(0), [], led()).may).toBe(true);
    expect(holding(any(1, 'c'), [], led({ ledTerm: null })).may).toBe(false);
    expect(holding(any(1, 'c'), [], led({ ledTerm: 4 })).may).toBe(false);
    expect(holding(any(1, 'c'), [], { ...led(), hold: hold({ last: lastMaster('a') }) }).may).toBe(false);
    const ranAfter = known({ promotions: [grew(6, 5, '0/500')] });
    expect(holding(any(1, 'c'), [], { ...led(), history: ranAfter }).may).toBe(false);
  });

  it('may do without where an administrator named it as the successor of the Master that ran last', () => {
    const override = { id: '1', node: 'b', afterTerm: 5, by: 'me', why: 'x' };
    expect(holding(any(1, 'c'), [], { override })).toMatchObject({ may: true, why: 'an administrator said so (1)' });
    expect(holding(any(1, 'c'), [], { override: { ...override, afterTerm: 4 } }).may).toBe(false);
  });

  it('does not while the rule, the history or its own position is unknown', () => {
    expect(holding(any(1, 'c'), [vote('c')], { sync: unknown() }).may).toBe(false);
    expect(holding(any(1, 'c'), [vote('c')], { history: unknown() }).may).toBe(false);
    expect(holding(any(1, 'c'), [vote('c')], { postgres: standby({ lsn: null }) }).may).toBe(false);
  });
});
