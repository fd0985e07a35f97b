import { isSatisfied, parseSyncRule } from './sync-rule';

describe('synchronous_standby_names', () => {
  it.each([
    ['', null],
    ['ANY 1 ("n1", "n2")', { method: 'any', count: 1, names: ['n1', 'n2'] }],
    ['FIRST 2 (n1,n2,n3)', { method: 'first', count: 2, names: ['n1', 'n2', 'n3'] }],
    ['n1', { method: 'first', count: 1, names: ['n1'] }],
  ])('%j is read', (text, rule) => {
    expect(parseSyncRule(text)).toEqual(rule);
  });

  it('is refused where the model does not understand it', () => {
    expect(() => parseSyncRule('ANY 1 (*)')).toThrow('not a list of standbys');
  });

  it('is satisfied by as many of its names as it asks for, and by no others', () => {
    const rule = { method: 'any', count: 2, names: ['n1', 'n2', 'n3'] } as const;
    expect(isSatisfied(rule, ['n1', 'n9'])).toBe(false);
    expect(isSatisfied(rule, ['n3', 'n1'])).toBe(true);
  });
});
