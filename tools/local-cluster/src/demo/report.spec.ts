import { checkHistory, History, type HistoryEvent } from '@ha-postgres/checker';
import type { MasterValue } from '@ha-postgres/cluster-state';
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
  rejoinedAt: 4_000,
  blocked: null,
};
/** Inserts that were acknowledged, and one that nobody answered; `stored`: those of them that are there at the end. */
const historyWith = (acknowledgements: readonly (readonly [at: number, connectedAt: number])[], stored?: number) => {
  const by = { address: '127.0.0.1:1', startedAt: '1', timeline: 1 };
  const sent = (id: number, at: number) => ({ type: 'sent', at, id, writer: 'client0', direct: null }) as const;
  const inserts = acknowledgements.flatMap(([at, connectedAt], id): HistoryEvent[] => [
    sent(id, at),
    { type: 'acknowledged', at, id, by, connectedAt },
  ]);
  const reading: HistoryEvent[] =
    stored === undefined ? [] : [{ type: 'stored', at: 0, by, ranges: [[0, stored - 1, 1]] }];
  return History.of([...inserts, sent(acknowledgements.length, 0), ...reading]);
};
const reported = (failover: Failover, history: History) => reportOf(failover, history, checkHistory(history));

describe('the report of a failover', () => {
  it('gives every step as time since the fault, and the outage as the client saw it', () => {
    const report = reported(
      failover,
      historyWith(
        [
          [990, 0],
          [1_005, 0],
          [1_250, 1_240],
        ],
        3,
      ),
    );
    expect(report.timings).toEqual({
      detectedMs: 10,
      releasedMs: 20,
      electedMs: 30,
      promotedMs: 200,
      routedMs: 250,
      rejoinedMs: 3000,
    });
    expect(report).toMatchObject({ writeOutageMs: 245, oldMaster: 'node0', newMaster: 'node1', acknowledgedLost: 0 });
    expect(report).toMatchObject({ attempts: 4, failed: 1, ambiguous: 1 });
    expect(isSuccess(report)).toBe(true);
  });

  it('is no success if nobody took writes, though somebody was elected', () => {
    const report = reported(
      failover,
      historyWith([
        [990, 0],
        [1_005, 0],
      ]),
    );
    expect(report.timings.routedMs).toBeNull();
    expect(isSuccess(report)).toBe(false);
  });

  it('is no success if nobody was elected', () => {
    const report = reported(
      { ...failover, elected: null, promoted: null },
      historyWith([
        [990, 0],
        [1_005, 0],
      ]),
    );
    expect([report.newMaster, isSuccess(report)]).toEqual([null, false]);
    expect(describeReport(report).join(' ')).toContain('nobody');
  });

  it('leaves out steps that there were not', () => {
    const report = reported(
      { ...failover, released: null },
      historyWith(
        [
          [990, 0],
          [1_250, 1_240],
        ],
        1,
      ),
    );
    expect(report.timings.releasedMs).toBeNull();
    expect(describeReport(report)[0]).not.toContain('released');
    expect(describeReport(report)[1]).toContain('acknowledged and lost: 1');
  });
});

it('a run without a fault is a success if inserts were acknowledged', () => {
  const quiet = (history: History) => isSuccess(quietReport('node0', history, checkHistory(history)));
  expect(
    quiet(
      historyWith(
        [
          [1, 0],
          [11, 0],
        ],
        2,
      ),
    ),
  ).toBe(true);
  expect(quiet(new History())).toBe(false);
});
