import type { MasterValue } from '@ha-postgres/cluster-state';
import { Ledger } from './ledger';
import type { MasterSight } from './master-timeline';
import { describeReport, isSuccess, quietReport, reportOf, type Failover } from './report';

const value: MasterValue = {
  node: 'node1',
  host: '127.0.0.1',
  port: 1,
  apiPort: 2,
  term: 2,
  beat: 0,
  phase: 'running',
  timeline: 2,
  lsn: '0/0',
  lsnExact: false,
  released: false,
  successor: null,
  last: null,
};
const sight = (at: number): MasterSight => ({ at, value, isHeld: true });
const failover: Failover = {
  scenario: 'kill-master',
  struckAt: 1_000,
  oldMaster: 'node0',
  detectedAt: 1_010.04,
  released: { at: 1_020, value: { ...value, released: true }, isHeld: false },
  elected: sight(1_030),
  promoted: sight(1_200),
};
const ledgerWith = (...acknowledgements: readonly (readonly [at: number, connectedAt: number])[]) => {
  const ledger = new Ledger();
  for (const [at, connectedAt] of acknowledgements) ledger.acknowledge({ id: ledger.attempt(), at, connectedAt });
  return ledger;
};

describe('the report of a failover', () => {
  it('gives every step as time since the fault, and the outage as the client saw it', () => {
    const report = reportOf(failover, ledgerWith([990, 0], [1_005, 0], [1_250, 1_240]), 0);
    expect(report.timings).toEqual({ detectedMs: 10, releasedMs: 20, electedMs: 30, promotedMs: 200, routedMs: 250 });
    expect(report).toMatchObject({ writeOutageMs: 245, oldMaster: 'node0', newMaster: 'node1', acknowledgedLost: 0 });
    expect(isSuccess(report)).toBe(true);
  });

  it('is no success if nobody took writes, though somebody was elected', () => {
    const report = reportOf(failover, ledgerWith([990, 0], [1_005, 0]), null);
    expect(report.timings.routedMs).toBeNull();
    expect(isSuccess(report)).toBe(false);
  });

  it('is no success if nobody was elected', () => {
    const report = reportOf({ ...failover, elected: null, promoted: null }, ledgerWith([990, 0], [1_005, 0]), null);
    expect([report.newMaster, isSuccess(report)]).toEqual([null, false]);
    expect(describeReport(report).join(' ')).toContain('nobody');
  });

  it('leaves out steps that there were not', () => {
    const report = reportOf({ ...failover, released: null }, ledgerWith([990, 0], [1_250, 1_240]), 1);
    expect(report.timings.releasedMs).toBeNull();
    expect(describeReport(report)[0]).not.toContain('released');
    expect(describeReport(report)[1]).toContain('acknowledged and lost: 1');
  });
});

it('a run without a fault is a success if inserts were acknowledged', () => {
  expect(isSuccess(quietReport('node0', ledgerWith([1, 0], [11, 0]), 0))).toBe(true);
  expect(isSuccess(quietReport('node0', new Ledger(), null))).toBe(false);
});
