import { parseSyncRule } from './sync-rule';

describe('synchronous_standby_names', () => {
  it.each([
    ['', null],
    ['ANY 1 ("n1", "n2")', { count: 1, names: ['n1', 'n2'] }],
    ['ANY 2 (n1, n2, n3)', { count: 2, names: ['n1', 'n2', 'n3'] }],
  ])('%j is read', (text, rule) => {
    expect(parseSyncRule(text)).toEqual(rule);
  });

  it.each(['FIRST 1 (n1)', 'n1', 'ANY (n1)'])('%j is refused: this system never writes it', (text) => {
    expect(() => parseSyncRule(text)).toThrow('does not know such a rule');
  });
});
