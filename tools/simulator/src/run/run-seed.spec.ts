import { Coverage } from '../check/coverage';
import { runSeed } from './run-seed';

async function transcriptOf(seed: number): Promise<readonly string[]> {
  const lines: string[] = [];
  await runSeed(seed, new Coverage(), (line) => lines.push(line));
  return lines;
}

describe('a seed', () => {
  it('does the same every time, to the last line of its transcript', async () => {
    for (const seed of [11, 12]) expect(await transcriptOf(seed)).toEqual(await transcriptOf(seed));
  });

  it('gives this machine its time and chance back', async () => {
    await runSeed(13);
    expect(typeof Date.now()).toBe('number');
    expect(typeof Math.random()).toBe('number');
  });

  it('lets a cluster take writes, fail over and become whole again', async () => {
    const coverage = new Coverage();
    let promotions = 0;
    for (let seed = 20; seed < 32; seed += 1) {
      const result = await runSeed(seed, coverage);
      expect(result).toMatchObject({ violation: null });
      expect(result.convergedInMs).not.toBeNull();
      promotions += result.promotions;
    }
    expect(promotions).toBeGreaterThan(10);
    expect(coverage.rules.size).toBeGreaterThan(20);
  });
});
