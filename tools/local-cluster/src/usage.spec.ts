import { aboveLimits, type Usage } from './usage';

const usage = (change: Partial<Usage>): Usage => ({
  member: 'node0',
  process: 'db-controller',
  pid: 1,
  residentMiB: 79.9,
  cpuPercent: 0.99,
  ...change,
});

describe('what a service may use while idle', () => {
  it.each<[Partial<Usage>, readonly string[] | null]>([
    [{}, []],
    [{ residentMiB: 80 }, ['80.0 of 80 MiB']],
    [{ cpuPercent: 1 }, ['1.00 of 1 %']],
    [{ process: 'lb-syncer', residentMiB: 90, cpuPercent: 2 }, ['90.0 of 80 MiB', '2.00 of 1 %']],
    [{ process: 'postgres', residentMiB: 900 }, null],
    [{ process: 'consul', cpuPercent: 5 }, null],
  ])('%j: above %j', (change, above) => {
    expect(aboveLimits(usage(change))).toEqual(above);
  });
});
