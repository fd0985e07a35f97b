import { describe, expect, it } from '@jest/globals';
import type { SyncValue } from '@ha-postgres/cluster-state';
import { coversAcknowledged } from './covered';

const RULE = { mode: 'quorum', k: 1, names: ['a', 'c'] } as const;
const NONE = { mode: 'async', k: 0, names: [] } as const;
const value = (change: Partial<SyncValue> = {}): SyncValue => ({
  version: 3,
  term: 5,
  ...RULE,
  previous: null,
  ...change,
});

describe('what had been acknowledged before a promotion', () => {
  it('is there where every rule that stood asked for a Replica', () => {
    expect(coversAcknowledged(value(), 6)).toBe(true);
    expect(coversAcknowledged(value({ term: 6, previous: { ...RULE, names: ['b'] } }), 6)).toBe(true);
  });

  it.each<[string, SyncValue | null | undefined]>([
    ['there was no rule', null],
    ['the rule is not known', undefined],
    ['the Master acknowledged by itself', value({ ...NONE })],
    ['it had done so until a moment ago', value({ previous: NONE })],
    ['the rule had shrunk to nobody', value({ k: 0, names: [] })],
    ['the rule is the new holder’s own', value({ term: 6 })],
  ])('may be missing where %s', (_title, sync) => {
    expect(coversAcknowledged(sync, 6)).toBe(false);
  });
});
