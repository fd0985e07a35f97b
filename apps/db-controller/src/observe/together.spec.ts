import fc from 'fast-check';
import { untilTogether } from './together';

describe('what is done together', () => {
  it('is done at full quarters of a second, never later than it was to be, and less than a quarter before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 500, max: 60_000 }), (now, ms) => {
        const wait = untilTogether(now, ms);
        expect((now + wait) % 250).toBe(0);
        expect(wait).toBeLessThanOrEqual(ms);
        expect(wait).toBeGreaterThan(ms - 250);
      }),
    );
  });

  it('keeps its interval where that is of full quarters, though each look takes its time', () => {
    let now = 1_000_123;
    const begun = Array.from({ length: 5 }, () => {
      // Woken a little late, and busy for 7 ms.
      now += untilTogether(now, 1000) + 1;
      const at = now;
      now += 7;
      return at;
    });
    expect(begun.slice(1).map((at, i) => at - (begun[i] ?? 0))).toEqual([1000, 1000, 1000, 1000]);
  });

  it('leaves alone what is to be done soon', () => {
    expect(untilTogether(123, 200)).toBe(200);
  });
});
