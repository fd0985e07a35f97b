import { describe, expect, it } from '@jest/globals';
import type { SyncValue, VoteAnswer } from '@ha-postgres/cluster-state';
import { coversAcknowledged } from './covered';
import type { Observation } from './observation';
import { decide } from './decide';
import { hold, known, lastMaster, readyToPromote, replica, syncValue, vote } from './testing/observations';

/** Node `b` holds the lock in term 6; `a` ran in term 5, under the rule `value`. */
const holding = (value: SyncValue | null, votes: VoteAnswer[], change: Partial<Observation> = {}) =>
  readyToPromote({
    sync: known({ value, isReadable: true }),
    votes: { term: 6, startedAt: 0, complete: true, answers: votes },
    policy: { ...replica().policy, sync: { mode: 'quorum', k: 1, durability: 'strict' } },
    ...change,
  });
const isCovered = (o: Observation) => coversAcknowledged(o, o.hold ?? hold());

const RULE = syncValue({ names: ['c'] });
const NONE = { mode: 'async', k: 0, names: [] } as const;
const LED = { hold: hold({ last: lastMaster('b') }), disk: { ...replica().disk, ledTerm: 5 } };

describe('what had been acknowledged before a promotion', () => {
  it('is there with enough votes, under the rule and under the one before it', () => {
    expect(isCovered(holding(RULE, [vote('c')]))).toBe(true);
    expect(isCovered(holding(RULE, []))).toBe(false);
    expect(isCovered(holding({ ...RULE, previous: { ...RULE, names: ['a'] } }, [vote('c')]))).toBe(false);
    expect(isCovered(holding({ ...RULE, previous: { ...RULE, names: ['a'] } }, [vote('a'), vote('c')]))).toBe(true);
  });

  it('is there with whom it was acknowledged by, also where no Replica had to have it', () => {
    expect(isCovered(holding(RULE, [], LED))).toBe(true);
    expect(isCovered(holding(syncValue({ k: 0, names: [] }), [], LED))).toBe(true);
  });

  it('is said with the first rule of the term, also where that is the same as before', () => {
    const { actions } = decide(holding(RULE, [vote('c')]));
    expect(actions).toEqual([
      { type: 'writeSync', value: { ...RULE, version: 4, term: 6, previous: null, covered: true } },
    ]);
  });

  it.each<[string, SyncValue | null]>([
    ['there was no rule', null],
    ['the Master acknowledged by itself', syncValue(NONE)],
    ['it had done so until a moment ago', { ...RULE, previous: NONE }],
    ['the rule had shrunk to nobody', syncValue({ k: 0, names: [] })],
    ['a hold that never ran wrote the rule, and may have lost some', { ...RULE, term: 6 }],
  ])('may be missing where %s', (_title, sync) => {
    const o = holding(sync, [vote('c', { term: 7 })], {
      hold: hold({ term: 7 }),
      votes: { term: 7, startedAt: 0, complete: true, answers: [vote('c', { term: 7 })] },
    });
    expect(isCovered(o)).toBe(false);
  });

  it('is there where a hold that never ran had it', () => {
    expect(isCovered(holding({ ...RULE, term: 6, covered: true }, [vote('c')]))).toBe(true);
  });

  it('may be missing where an administrator lets it take over', () => {
    const override = { id: 'o1', node: 'b', afterTerm: 5, by: 'me', why: 'x' };
    expect(isCovered(holding(RULE, [vote('c')], { override }))).toBe(false);
  });
});
