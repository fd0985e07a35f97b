import type { Figures, Result } from './result';
import { ROWS } from './rows';
import { renderTable } from './table';

const FIGURES: Figures = {
  writeOutageMs: 400,
  attempts: 1_000,
  failed: 3,
  ambiguous: 1,
  lost: 0,
  lostPastLoadBalancers: 0,
  writersAtOnce: 1,
  late: 0,
  failovers: 1,
  redundancyMs: 9_000,
  hands: 0,
};

const result = (row: number, given: Partial<Result> = {}): Result => ({
  row,
  variant: '',
  half: 'quick',
  at: '2026-11-23T10:00:00.000Z',
  replication: 'async',
  runs: [FIGURES],
  failure: null,
  ...given,
});

const linesOf = (results: readonly Result[], row: number) =>
  renderTable(results)
    .split('\n')
    .filter((line) => line.startsWith(`| ${row} |`))
    .map((line) => line.split(' | ').slice(5).join(' | '));

describe('the table of faults', () => {
  it('has every row from 1 to 43, and says plainly that none was run', () => {
    const table = renderTable([]);
    expect(ROWS.map(({ number }) => number)).toEqual(Array.from({ length: 43 }, (_, index) => index + 1));
    for (const { number } of ROWS) expect(linesOf([], number)[0]).toMatch(/^not run \|/);
    expect(table).toContain('Last results: no run yet.');
  });

  it('tells the figures of one run', () => {
    expect(linesOf([result(7)], 7)).toEqual(['yes | 1 | 400 ms | 3 (1) | 0 | 1 | 1 | 9.0 s |']);
  });

  it('tells median and worst of several runs, adds up what failed, and names hands that were needed', () => {
    const runs = [3_000, 200, 500].map((writeOutageMs, index) => ({
      ...FIGURES,
      writeOutageMs,
      failovers: index,
      lost: index,
      lostPastLoadBalancers: 1,
      hands: index,
    }));
    expect(linesOf([result(7, { runs })], 7)).toEqual([
      'yes | 3 | 500 ms (3.0 s) | 9 (3) | 3 + 3 | 1 | 0, 1, 2 | 9.0 s (9.0 s), by hand |',
    ]);
  });

  it('has a line for each variant of a row', () => {
    const variants = ['killed', 'frozen'].map((variant) => result(3, { variant }));
    const lines = renderTable(variants)
      .split('\n')
      .filter((line) => line.startsWith('| 3 |'));
    expect(lines.map((line) => line.split(' | ')[1])).toEqual([
      expect.stringContaining(': frozen'),
      expect.stringContaining(': killed'),
    ]);
  });

  it('says in which half a form is run', () => {
    const forms = [result(14, { variant: 'for 20 s', half: 'long' }), result(14, { variant: 'and a member missing' })];
    const halves = renderTable(forms)
      .split('\n')
      .filter((line) => line.startsWith('| 14 |'))
      .map((line) => line.split(' | ')[3]);
    expect(halves).toEqual(['quick', 'long']);
  });

  it('says what did not hold, also when no run came to its end', () => {
    expect(linesOf([result(9, { runs: [], failure: 'two writers | at once' })], 9)[0]).toContain(
      '**no**: two writers \\| at once | 0 | – | 0 (0)',
    );
  });
});
