import { isChosen, runsOf } from './half';

describe('which rows are run', () => {
  it('are the quick ones, once, unless all are asked for', () => {
    expect([isChosen('quick', {}), isChosen('long', {}), runsOf(3, {})]).toEqual([true, false, 1]);
    expect([isChosen('long', { FAULTS: 'all' }), runsOf(3, { FAULTS: 'all' })]).toEqual([true, 3]);
  });

  it('is refused if it is neither', () => {
    expect(() => isChosen('long', { FAULTS: 'every' })).toThrow('FAULTS=every: quick or all');
  });
});
