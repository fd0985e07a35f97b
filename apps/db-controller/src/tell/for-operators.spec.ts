import { runnerReport } from '../../test/fixture/values';
import { endWorlds, world } from '../../test/fixture/world';
import { forOperators } from './for-operators';

afterEach(endWorlds);

const none = { incarnation: 'i', disk: { knownMembers: [] } };

test('the highest term is that seen or voted in, whichever is higher', () => {
  const o = world().observation();
  expect(forOperators({ ...o, disk: { ...o.disk, highestTerm: 4 }, votedTerm: 6 }, none).highestTerm).toBe(6);
  expect(forOperators({ ...o, disk: { ...o.disk, highestTerm: 8 }, votedTerm: 6 }, none).highestTerm).toBe(8);
});

test('a node that has seen a cluster misses its master key; a new one misses nothing', () => {
  const o = { ...world().observation(), master: { known: true, seenAt: 0, value: { entry: null } } as const };
  expect(forOperators({ ...o, disk: { ...o.disk, highestTerm: 4 } }, none).consulWentBack).toContain('gone');
  expect(forOperators({ ...o, disk: { ...o.disk, highestTerm: 0 } }, none).consulWentBack).toBeNull();
});

test('the identifier is that of the data directory, as the runner reports it', () => {
  const o = world().observation();
  const report = runnerReport({ data: { ...runnerReport().data, systemId: '7' } });
  expect(forOperators({ ...o, runner: { known: true, seenAt: 0, value: report } }, none).systemId).toBe('7');
  expect(forOperators({ ...o, runner: { known: false, why: 'silent' } }, none).systemId).toBeNull();
});

test('a holder judges the synchronous rule by what it has read since it took the lock', () => {
  const o = world().observation();
  const hold = {
    term: 6,
    phase: 'waiting',
    acquiredAt: 900,
    provenAt: 1000,
    endsAt: 4000,
    lost: false,
    unansweredSince: null,
  } as const;
  const told = (seenAt: number) =>
    forOperators(
      {
        ...o,
        master: { known: false, why: 'test' },
        hold: { ...hold, waitUntil: 0, predecessor: null, last: null },
        disk: { ...o.disk, highestTerm: 6, highestSyncVersion: 4 },
        sync: { known: true, seenAt, value: { value: null, isReadable: true } },
      },
      none,
    ).consulWentBack;
  expect(told(999)).toBeNull();
  expect(told(1000)).toContain('version 4');
});
