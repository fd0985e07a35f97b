import { INVARIANTS } from '../check/invariants';
import type { SeedResult } from '../run/run-seed';
import { invariantsShown } from './shown';

const count = Object.keys(INVARIANTS).length;
const failed = (invariant: string): SeedResult => ({
  ...{ seed: 1, steps: 1, virtualMs: 1, acknowledged: 0, lost: 0, promotions: 0, convergedInMs: null },
  violation: { invariant, what: '', at: 0 },
});

describe('what seeds show', () => {
  it('is every invariant', () => {
    const shown = invariantsShown({ violations: [] });
    expect(shown).toHaveLength(count);
    expect(shown.every(({ isShown }) => isShown)).toBe(true);
  });

  it('is not one that a seed broke, however many did', () => {
    const shown = invariantsShown({ violations: [failed(INVARIANTS.oneWriter), failed(INVARIANTS.oneWriter)] });
    expect(shown).toHaveLength(count);
    expect(shown.filter(({ isShown }) => !isShown)).toEqual([{ what: INVARIANTS.oneWriter, isShown: false }]);
  });

  it('is one more that fails where a run broke by something else', () => {
    const shown = invariantsShown({ violations: [failed('the runner does not fail')] });
    expect(shown).toHaveLength(count + 1);
    expect(shown.at(-1)).toEqual({ what: 'the runner does not fail', isShown: false });
  });
});
