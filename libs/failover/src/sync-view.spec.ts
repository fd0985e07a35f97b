import { describe, expect, it } from '@jest/globals';
import { standbyNames } from './sync-set';
import { isBarred, isFresh, leadSettings, syncStatus } from './sync-view';
import { hold, known, lastMaster, runningMaster, syncValue, writable } from './testing/observations';
import type { Observation } from './observation';

const value = syncValue({ term: 6, names: ['a', 'c'] });
const sender = (name: string, streaming = true) => ({ pid: 1, name, streaming, priority: 1, flushed: null });

function master(change: Partial<Observation> = {}): Observation {
  const postgres = writable({
    synchronousStandbyNames: standbyNames(value),
    senders: [sender('a'), sender('c', false)],
  });
  return runningMaster({ sync: known({ value, isReadable: true }), postgres, ...change });
}

describe('what a Master tells of synchronous replication', () => {
  it('is the rule, and who of the named streams', () => {
    expect(syncStatus(master())).toEqual({
      ...{ mode: 'quorum', k: 1, names: ['a', 'c'], streaming: ['a'] },
      ...{ waiting: false, settled: true, barred: false },
    });
  });

  it('is an alarm where fewer than k of them stream, though others do', () => {
    const postgres = writable({ senders: [sender('x'), sender('c', false)] });
    expect(syncStatus(master({ postgres }))).toMatchObject({ streaming: [], waiting: true });
  });

  it('is nothing before it runs: nobody streams from it yet, and no client waits', () => {
    expect(syncStatus(master({ hold: hold({ phase: 'waiting' }) }))).toBeNull();
    expect(syncStatus(master({ sync: known({ value: null, isReadable: true }) }))).toBeNull();
  });
});

describe('a Master that is its own predecessor', () => {
  const own = master({ hold: hold({ phase: 'running', last: lastMaster('b') }) });
  const barred = (o: Observation) => (o.hold === null ? null : isBarred(o, o.hold));

  it('lets nobody in until that is on disk for this very term', () => {
    expect(barred(own)).toBe(true);
    expect(barred({ ...own, disk: { ...own.disk, admittedTerm: 5 } })).toBe(true);
    expect(barred({ ...own, disk: { ...own.disk, admittedTerm: 6 } })).toBe(false);
    expect(barred(master())).toBe(false);
  });

  it('lets everybody in where nothing is promised', () => {
    expect(barred({ ...own, sync: known({ value: null, isReadable: true }) })).toBe(false);
  });
});

it('rule and history count by when they were asked for: before the answer to the acquire they may be of another Master', () => {
  const held = hold({ acquiredAt: 1000, provenAt: 1200 });
  const at = (seenAt: number) => {
    const history = { known: true, value: { promotions: [] }, seenAt } as const;
    return isFresh({ sync: { known: true, value: { value, isReadable: true }, seenAt }, history }, held);
  };
  expect([at(999), at(1100), at(1200)]).toEqual([false, false, true]);
});

it('a Master that does not know the rule leaves PostgreSQL’s setting as it is', () => {
  const o = master({ sync: { known: false, why: 'no answer' } });
  expect(o.hold === null ? null : leadSettings(o, o.hold)).toEqual({});
});
