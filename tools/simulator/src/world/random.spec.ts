import { Random } from './random';

describe('chance', () => {
  it('is the same for the same seed and stream, and another for another', () => {
    const draw = (seed: number, stream: number): number[] => {
      const random = new Random(seed, stream);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draw(42, 1)).toEqual(draw(42, 1));
    expect(draw(42, 1)).not.toEqual(draw(42, 2));
    expect(draw(42, 1)).not.toEqual(draw(43, 1));
    // A seed of the time in milliseconds is beyond 32 bits.
    expect(draw(2 ** 40 + 1, 1)).not.toEqual(draw(1, 1));
  });

  it('keeps to its bounds, and is spread over them', () => {
    const random = new Random(1);
    const drawn = Array.from({ length: 2000 }, () => random.whole(1, 4));
    expect([...new Set(drawn)].sort()).toEqual([1, 2, 3, 4]);
    const sizes = Array.from({ length: 2000 }, () => random.magnitude(1, 1000));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...sizes)).toBeLessThan(1000);
    expect(sizes.filter((size) => size < 32).length).toBeGreaterThan(800);
  });
});
