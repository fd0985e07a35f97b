import fc from 'fast-check';
import { FailureThreshold } from './failure-threshold';

describe('FailureThreshold', () => {
  it('is failing exactly when the last `limit` records were all failures', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean(), { minLength: 1 }), (limit, records) => {
        const threshold = new FailureThreshold(limit);
        records.forEach((ok, index) => {
          const last = records.slice(Math.max(0, index + 1 - limit), index + 1);
          const expected = last.length === limit && last.every((each) => !each);
          expect(threshold.record(ok).failing).toBe(expected);
        });
      }),
    );
  });

  it('begins anew after one success', () => {
    const threshold = new FailureThreshold(2);
    threshold.record(false);
    expect(threshold.record(false)).toEqual({ failing: true, consecutiveFailures: 2 });
    expect(threshold.record(true)).toEqual({ failing: false, consecutiveFailures: 0 });
    expect(threshold.record(false)).toEqual({ failing: false, consecutiveFailures: 1 });
  });

  it('is not failing before the first record', () => {
    expect(new FailureThreshold(1).verdict).toEqual({ failing: false, consecutiveFailures: 0 });
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a limit of %p and names it', (limit) => {
    expect(() => new FailureThreshold(limit)).toThrow(String(limit));
  });
});
