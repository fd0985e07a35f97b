import type { SyncStatus } from '@ha-postgres/cluster-state';
import { LogLines } from '../../test/fixture/world';
import { SyncAlarm } from './sync-alarm';

const status = (change: Partial<SyncStatus>): SyncStatus => ({
  ...{ mode: 'quorum', k: 1, names: ['a'], streaming: ['a'], waiting: false, settled: true, barred: false },
  ...change,
});

it('tells each change once: commits wait, are confirmed again, or by nobody', () => {
  const log = new LogLines();
  const alarm = new SyncAlarm(log.log);
  const waiting = status({ streaming: [], waiting: true });
  for (const one of [
    null,
    status({}),
    waiting,
    waiting,
    status({}),
    status({ k: 0, names: [], streaming: [] }),
    status({}),
  ])
    alarm.look(one);
  expect(log.lines.map(({ event }) => event)).toEqual([
    'sync.writes-wait',
    'sync.confirmed',
    'sync.nobody-confirms',
    'sync.confirmed',
  ]);
});

it('is silent about asynchronous replication', () => {
  const log = new LogLines();
  new SyncAlarm(log.log).look(status({ mode: 'async', k: 0, names: [], streaming: [] }));
  expect(log.lines).toEqual([]);
});
