import { NothingRuns, unlessNothingRuns } from './nothing-runs';

describe('what is done to processes', () => {
  it('is done, or there are none any more', async () => {
    expect(await unlessNothingRuns(() => Promise.resolve())).toBe(true);
    expect(await unlessNothingRuns(() => Promise.reject(new NothingRuns('node0/postgres')))).toBe(false);
  });

  it('fails for another reason as it would', async () => {
    await expect(unlessNothingRuns(() => Promise.reject(new RangeError('no such node')))).rejects.toThrow(
      'no such node',
    );
  });
});
