import fc from 'fast-check';
import { nextPause, RESTART_TIMES } from './back-off';

describe('the pause before a restart', () => {
  it('doubles while the process keeps ending early, up to its limit', () => {
    const pauses = [1, 2, 3, 4, 5, 6].reduce<number[]>((all) => [...all, nextPause(all.at(-1) ?? 0, 100)], []);
    expect(pauses).toEqual([300, 600, 1_200, 2_400, 4_800, 5_000]);
  });

  it('begins afresh after a process that lived long', () => {
    expect(nextPause(5_000, RESTART_TIMES.resetMs)).toBe(RESTART_TIMES.firstMs);
  });

  it('is never outside its limits, whatever came before', () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(100_000), (previous, lived) => {
        const pause = nextPause(previous, lived);
        expect(pause).toBeLessThanOrEqual(RESTART_TIMES.maxMs);
        if (previous === 0 || previous >= RESTART_TIMES.firstMs)
          expect(pause).toBeGreaterThanOrEqual(RESTART_TIMES.firstMs);
      }),
    );
  });
});
