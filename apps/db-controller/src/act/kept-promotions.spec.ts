import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { keptPromotions } from './kept-promotions';

const promotion = (term: number, node = 'a'): HistoryEntry => ({
  ...{ term, parentTerm: term - 1, timeline: term, forkLsn: 'FFFFFFFF/FFFFFFFF', node, from: node },
  ...{ why: `took over from term ${term - 1}`, at: '2026-01-01T00:00:00.000Z', tookMs: 1000 },
});
const promotions = (count: number, node?: string) => Array.from({ length: count }, (_, i) => promotion(i + 1, node));

describe('the promotions that are kept', () => {
  it('are all while there are few', () => {
    expect(keptPromotions([])).toEqual([]);
    expect(keptPromotions(promotions(500)).map(({ term }) => term)).toEqual(promotions(500).map(({ term }) => term));
  });

  it('are the newest 1000', () => {
    expect(keptPromotions(promotions(1200)).map(({ term }) => term)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i + 201),
    );
  });

  it('are fewer where they are long: what is written of them must fit in a transaction of Consul’s', () => {
    const kept = keptPromotions(promotions(1000, 'n'.repeat(63)));
    expect(kept.at(-1)?.term).toBe(1000);
    expect(kept.length).toBeGreaterThan(500);
    const inTransaction = Buffer.from(JSON.stringify({ promotions: kept })).toString('base64').length;
    expect(inTransaction).toBeLessThan(400 * 1024);
  });

  it('are the newest at least', () => {
    const long = { ...promotion(2), why: 'x'.repeat(300_000) };
    expect(keptPromotions([promotion(1), long])).toEqual([long]);
  });
});
