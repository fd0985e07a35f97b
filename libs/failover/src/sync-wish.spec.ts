import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SyncMode, SyncRule } from '@ha-postgres/cluster-state';
import { ASYNC } from './sync-set';
import { wantedRule, type SyncWish } from './sync-wish';

const members = ['a', 'b', 'c', 'd'];
const rule = (mode: SyncMode, k: number, ...names: string[]): SyncRule => ({ mode, k, names });
const wish = (mode: SyncMode, k: number, durability: SyncWish['durability'] = 'strict'): SyncWish => ({
  mode,
  k,
  durability,
});

describe('the rule as it should be', () => {
  it.each<[string, SyncWish, SyncRule, string[], SyncRule]>([
    ['names all that stream, for a quorum', wish('quorum', 1), ASYNC, ['a', 'b'], rule('quorum', 1, 'a', 'b')],
    ['names exactly k in mode sync, the preferred', wish('sync', 1), ASYNC, ['c', 'a'], rule('sync', 1, 'c')],
    ['keeps whom it named', wish('sync', 1), rule('sync', 1, 'b'), ['a', 'b'], rule('sync', 1, 'b')],
    ['replaces one that went', wish('sync', 1), rule('sync', 1, 'b'), ['a'], rule('sync', 1, 'a')],
    [
      'drops one that went from a quorum',
      wish('quorum', 1),
      rule('quorum', 1, 'a', 'b'),
      ['a'],
      rule('quorum', 1, 'a'),
    ],
    [
      'keeps those that went where k would not be reached',
      wish('quorum', 2),
      rule('quorum', 2, 'a', 'b'),
      ['a'],
      rule('quorum', 2, 'a', 'b'),
    ],
    ['never shrinks k, strict', wish('quorum', 2), ASYNC, ['a'], rule('quorum', 2, 'a')],
    ['waits for somebody, strict', wish('quorum', 1), ASYNC, [], rule('quorum', 1)],
    [
      'shrinks k to those that stream, available',
      wish('quorum', 2, 'available'),
      rule('quorum', 2, 'a', 'b'),
      ['a'],
      rule('quorum', 1, 'a'),
    ],
    [
      'asks nobody where nobody streams, available',
      wish('sync', 1, 'available'),
      rule('sync', 1, 'a'),
      [],
      rule('sync', 0),
    ],
    ['is no rule in asynchronous mode', wish('async', 1), rule('quorum', 1, 'a'), ['a'], ASYNC],
  ])('%s', (_what, wanted, current, streaming, expected) => {
    expect(wantedRule(wanted, current, { streaming, members })).toEqual(expected);
  });

  it('names members only, and is the same again once it is reached', () => {
    const wishes = fc.record({
      mode: fc.constantFrom<SyncMode>('sync', 'quorum'),
      k: fc.integer({ min: 1, max: 3 }),
      durability: fc.constantFrom('strict' as const, 'available' as const),
    });
    const names = fc.subarray(['a', 'b', 'c', 'd', 'gone']);
    fc.assert(
      fc.property(wishes, names, fc.shuffledSubarray(members), (wanted, before, streaming) => {
        const one = wantedRule(wanted, rule(wanted.mode, wanted.k, ...before), { streaming, members });
        const again = wantedRule(wanted, one, { streaming, members });
        expect(again).toEqual(one);
        const isNamed = one.names.every((name) => members.includes(name));
        const isK =
          wanted.durability === 'available' ? one.k === Math.min(wanted.k, streaming.length) : one.k === wanted.k;
        const isExact = wanted.mode === 'quorum' || one.names.length <= one.k;
        return isNamed && isK && isExact;
      }),
    );
  });
});
