import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SyncRule, SyncValue } from '@ha-postgres/cluster-state';
import {
  ASYNC,
  covers,
  isEnough,
  isSameRule,
  joined,
  namedIn,
  parseStandbyNames,
  rulesOf,
  standbyNames,
  votesNeeded,
} from './sync-set';

const NODES = ['a', 'b', 'c', 'd', 'e'];
const any = (k: number, ...names: string[]): SyncRule => ({ mode: 'quorum', k, names });

function subsets(names: readonly string[]): string[][] {
  return names.reduce<string[][]>((sets, name) => [...sets, ...sets.map((set) => [...set, name])], [[]]);
}
const ALL = subsets(NODES);

/** Every set of Replicas that may have been the only ones to hold an acknowledged commit. */
const holders = ({ k, names }: SyncRule) => subsets(names).filter((set) => set.length === k);
const isSafe = (rule: SyncRule, voters: readonly string[]) =>
  holders(rule).every((set) => set.some((name) => voters.includes(name)));

const rule = fc
  .record({ k: fc.integer({ min: 0, max: 4 }), names: fc.subarray(NODES) })
  .map(({ k, names }) => any(k, ...names));
const ruleOrAsync = fc.oneof({ weight: 1, arbitrary: fc.constant(ASYNC) }, { weight: 6, arbitrary: rule });

describe('votes under a rule', () => {
  it('are enough exactly where no set of k named Replicas can have been left out', () => {
    fc.assert(fc.property(rule, (one) => ALL.every((voters) => isEnough(one, voters) === isSafe(one, voters))));
  });

  it.each<[string, SyncRule, number]>([
    ['one of one', any(1, 'a'), 1],
    ['both of two where any one confirms', any(1, 'a', 'b'), 2],
    ['any one of two where both confirm', any(2, 'a', 'b'), 1],
    ['none where nothing can have been acknowledged', any(2, 'a'), 0],
    ['no number of them where only the Master has it', any(0), Infinity],
    ['none without a promise', ASYNC, 0],
  ])('are needed: %s', (_what, one, needed) => {
    expect(votesNeeded(one)).toBe(needed);
  });

  it('count once for each node, and not at all for one that is not named', () => {
    expect(isEnough(any(1, 'a', 'b'), ['a', 'a', 'c'])).toBe(false);
    expect(isEnough(any(1, 'a', 'b'), ['a', 'b'])).toBe(true);
  });
});

describe('a rule that covers another', () => {
  it('asks for votes that are enough for both, and every rule that does so covers it', () => {
    fc.assert(
      fc.property(ruleOrAsync, ruleOrAsync, (one, other) => {
        const isStricter = ALL.every((voters) => !isEnough(one, voters) || isEnough(other, voters));
        return covers(one, other) === isStricter;
      }),
    );
  });

  it('is found for any two', () => {
    fc.assert(
      fc.property(ruleOrAsync, ruleOrAsync, (a, b) => {
        const both = joined(a, b);
        return covers(both, a) && covers(both, b);
      }),
    );
  });

  it('is the stricter of the two where there is one', () => {
    expect(joined(any(1, 'a', 'b'), any(1, 'a'))).toEqual(any(1, 'a', 'b'));
    expect(joined(any(1, 'a'), any(1, 'b'))).toEqual(any(1, 'a', 'b'));
    expect(joined(any(2, 'a', 'b'), ASYNC)).toEqual(any(2, 'a', 'b'));
  });
});

describe("PostgreSQL's setting", () => {
  it.each<[SyncRule, string]>([
    [any(1, 'pg-1', 'pg-0'), 'ANY 1 ("pg-0", "pg-1")'],
    [{ mode: 'sync', k: 2, names: ['a', 'b'] }, 'ANY 2 ("a", "b")'],
    [any(1), 'ANY 1 ("-")'],
    [any(0), ''],
    [ASYNC, ''],
  ])('of %j is %s', (one, text) => {
    expect(standbyNames(one)).toBe(text);
  });

  it('is read back as it was written, and nothing else is', () => {
    fc.assert(
      fc.property(rule, (one) => {
        const back = parseStandbyNames(standbyNames(one));
        if (one.k === 0) return back?.k === 0 && back.names.length === 0;
        return back !== null && isSameRule({ ...back, mode: 'quorum' }, one);
      }),
    );
    for (const text of ['*', 'a', 'FIRST 1 (a)', 'ANY 1 (a)', 'ANY 1 ("a"', ' '])
      expect(parseStandbyNames(text)).toBeNull();
  });
});

describe('the rules in a key', () => {
  const value = (previous: SyncRule | null): SyncValue => ({ version: 2, term: 5, ...any(1, 'a', 'b'), previous });

  it('are the one in force and what it replaces', () => {
    expect(rulesOf(value(null))).toEqual([any(1, 'a', 'b')]);
    expect(rulesOf(value(any(1, 'c')))).toEqual([any(1, 'a', 'b'), any(1, 'c')]);
    expect(namedIn(value(any(1, 'c')))).toEqual(new Set(['a', 'b', 'c']));
  });

  it('are no promise where there is no key', () => {
    expect(rulesOf(null)).toEqual([ASYNC]);
    expect(namedIn(null)).toEqual(new Set());
  });
});
