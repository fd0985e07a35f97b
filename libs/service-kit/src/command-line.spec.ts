import { readCommandLine } from './command-line';
import { defineOptions } from './options';

describe('readCommandLine', () => {
  const options = defineOptions({
    noFailover: { type: 'boolean', default: false, description: 'a name that begins with "no"' },
  });

  it('takes an option whose name begins with "no" as what it is, not as the opposite of another', () => {
    expect(readCommandLine([], options).flags).toEqual(new Map());
    expect(readCommandLine(['--no-failover'], options).flags).toEqual(new Map([['noFailover', true]]));
    expect(readCommandLine(['--no-failover', 'false'], options).flags).toEqual(new Map([['noFailover', 'false']]));
  });
});
