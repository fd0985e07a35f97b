import { describe, expect, it } from '@jest/globals';
import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { parseLsn } from '@ha-postgres/lsn';
import type { DiskRecord, Observation } from './observation';
import {
  INITIALISED,
  POLICY,
  NOW,
  dead,
  known,
  lastMaster,
  masterEntry,
  masterValue,
  address,
  readyToPromote,
  replica,
  runner,
  standby,
  syncValue,
  unknown,
  vote,
  writable,
} from './testing/observations';
import {
  betterCandidate,
  isCleared,
  keepsVote,
  lastRunningMaster,
  leaseRanOut,
  predecessorEndsAt,
  takeoverOutlook,
} from './takeover';
import { comparePositions } from './vote-count';

const withDisk = (change: Partial<DiskRecord>) => ({ disk: { ...replica().disk, ...change } });
const tagged = (tags: Partial<Observation['policy']['tags']>) => ({
  policy: { ...POLICY, tags: { ...POLICY.tags, ...tags } },
});
const sees = (entry: ReturnType<typeof masterEntry> | null) => ({ master: known({ entry }) });

describe('the outlook of a takeover', () => {
  it('is good for a healthy Replica within the lag limit', () => {
    expect(takeoverOutlook(replica())).toEqual({
      able: true,
      why: 'healthy, and within the lag limit',
      bytesBehind: 0,
    });
  });

  it.each<[string, Partial<Observation>]>([
    ['is a DeadMaster', withDisk({ deadMaster: true })],
    ['tagged noFailover', tagged({ noFailover: true })],
    ['takeover is paused', { paused: true }],
    ['not on the list of members', { members: known({ members: [address('a')], modifyIndex: 50 }) }],
    ['members unknown: no answer', { members: unknown() }],
    ['master unknown: no answer', { master: unknown() }],
    ['the master key is gone', sees(null)],
    ["Consul's memory went back", withDisk({ highestTerm: 6 })],
    ["Consul's memory went back", withDisk({ highestModifyIndex: 101 })],
    ['cannot be read', sees(masterEntry(null))],
    ['after the last beat', { members: known({ members: [address('b')], modifyIndex: 101 }) }],
    ['promised the Master', withDisk({ promisedUntil: NOW + 1 })],
    ['PostgreSQL does not answer: connection refused', { postgres: dead() }],
    ['not running in standby mode', { postgres: writable() }],
    ['has no data of this cluster', withDisk({ dataTerm: 0 })],
    ['WAL position unknown', { postgres: standby({ lsn: null }) }],
    ['the history does not tell', withDisk({ dataTerm: 4 })],
    ['synchronous rule unknown: no answer', { sync: unknown() }],
    ['cannot be read', { sync: known({ value: null, isReadable: false }) }],
    ["Consul's memory went back (seen: version 4", withDisk({ highestSyncVersion: 4 })],
    ['lags 1048577 bytes', { postgres: standby({ lsn: parseLsn('0/4EFFFFF') }) }],
  ])('is bad, and says: %s', (why, change) => {
    const outlook = takeoverOutlook(replica(change));
    expect(outlook.able).toBe(false);
    expect(outlook.why).toContain(why);
  });

  it('says at any time how many bytes the last Master was ahead', () => {
    const behind = replica({ postgres: standby({ lsn: parseLsn('0/4000000') }), paused: true });
    expect(takeoverOutlook(behind)).toMatchObject({ able: false, bytesBehind: 0x1000000 });
    expect(takeoverOutlook(replica({ postgres: standby({ lsn: null }) })).bytesBehind).toBeNull();
  });

  it('asks for votes, and not for a small lag, where commits were confirmed', () => {
    const far = { postgres: standby({ lsn: parseLsn('0/1') }) };
    const under = (names: string[]) => ({ sync: known({ value: syncValue({ names }), isReadable: true }) });
    expect(takeoverOutlook(replica({ ...far, ...under(['b', 'c']) }))).toMatchObject({
      able: true,
      why: 'healthy, one of the synchronous Replicas: takes over with enough votes of [c]',
    });
    expect(takeoverOutlook(replica({ ...far, ...under(['c']) })).why).toContain('no synchronous Replica');
  });

  it('is none where no Replica need have a commit, but for who has led and who an administrator lets', () => {
    const alone = syncValue({ k: 0, names: ['b', 'c'] });
    const under = (previous: typeof alone.previous) => ({
      sync: known({ value: { ...alone, previous }, isReadable: true }),
    });
    const outlook = (change: Partial<Observation>) => takeoverOutlook(replica({ ...under(null), ...change }));
    const why = 'only the last Master itself has every commit';
    expect(outlook({})).toMatchObject({ able: false, why });
    const before = { ...syncValue({ names: ['c'] }), previous: { mode: alone.mode, k: 0, names: ['b'] } };
    expect(outlook({ sync: known({ value: before, isReadable: true }) })).toMatchObject({ able: false, why });
    expect(outlook(withDisk({ ledTerm: 5 })).able).toBe(true);
    expect(outlook({ override: { id: '1', node: 'b', afterTerm: 5, by: 'me', why: 'it burnt down' } }).able).toBe(true);
    expect(outlook(under({ mode: 'async', k: 0, names: [] })).able).toBe(false);
    expect(outlook({ sync: known({ value: { ...alone, mode: 'async' }, isReadable: true }) }).able).toBe(true);
  });

  it('is good however far it lags where an administrator said so, for the Master that ran last', () => {
    const override = { id: '1', node: 'b', afterTerm: 5, by: 'me', why: 'the disk is gone' };
    const far = { postgres: standby({ lsn: parseLsn('0/1') }) };
    expect(takeoverOutlook(replica({ ...far, override })).able).toBe(true);
    expect(takeoverOutlook(replica({ ...far, override: { ...override, afterTerm: 4 } })).able).toBe(false);
    expect(takeoverOutlook(replica({ ...far, override: { ...override, node: 'c' } })).able).toBe(false);
  });

  it('allows exactly maximumLagOnFailover', () => {
    expect(takeoverOutlook(replica({ postgres: standby({ lsn: parseLsn('0/4F00000') }) })).able).toBe(true);
  });

  it('measures the lag to the Master that last ran, not to a holder that only waited', () => {
    const waited = masterValue('c', {
      term: 6,
      phase: 'waiting',
      lsn: '0/1',
      last: lastMaster('a', { lsn: '0/9000000' }),
    });
    expect(takeoverOutlook(replica(sees(masterEntry(waited)))).why).toContain('lags 67108864 bytes');
  });
});

describe('the last Master itself, which promoted twice in its hold', () => {
  const first = { ...{ parentTerm: 4, timeline: 2, forkLsn: '0/4000000', from: null, why: 'test', at: '', tookMs: 1 } };
  const told: HistoryEntry = { ...first, term: 5, node: 'b', left: [{ timeline: 1, at: '0/4000000' }] };
  const timelines = {
    left: [
      { timeline: 1, at: '0/4000000' },
      { timeline: 2, at: '0/4800000' },
    ],
    newest: 3,
  };
  const outlook = (last: string, ledTerm: number | null) =>
    takeoverOutlook(
      replica({
        master: known({
          entry: masterEntry(masterValue(last, { phase: 'draining', released: true }), { session: null }),
        }),
        history: known({ promotions: [{ ...told, node: last }] }),
        disk: { ...replica().disk, ledTerm },
        runner: runner({ data: { ...INITIALISED, timelines } }),
      }),
    );

  it('may succeed itself, though the history tells its first timeline only', () => {
    expect(outlook('b', 5)).toMatchObject({ able: true });
  });

  it.each([
    ['another’s term', 'a', null],
    ['data that was filled anew since', 'b', null],
  ])('is asked for its timelines where it is of %s', (_, last, ledTerm) => {
    const { able, why } = outlook(last, ledTerm);
    expect(able).toBe(false);
    expect(why).toContain('left timeline 2');
  });
});

describe('the lease of the predecessor', () => {
  const entry = masterEntry(masterValue('a'), { firstSeenAt: 1000 });

  it('is over one lease and one drift margin after its last beat was first seen', () => {
    expect(predecessorEndsAt(entry, POLICY)).toBe(4300);
  });

  it('is known to be over by a consistent read that was sent after its end', () => {
    expect(leaseRanOut(entry, POLICY)).toBe(false);
    expect(leaseRanOut({ ...entry, confirmedSentAt: 4300 }, POLICY)).toBe(false);
    expect(leaseRanOut({ ...entry, confirmedSentAt: 4300.1 }, POLICY)).toBe(true);
  });

  it('need not be waited out only where the key is free and its writer says released', () => {
    const released = masterValue('a', { released: true });
    expect(isCleared(masterEntry(released, { session: null }))).toBe(true);
    expect(isCleared(masterEntry(released))).toBe(false);
    expect(isCleared(masterEntry(masterValue('a'), { session: null }))).toBe(false);
    expect(isCleared(masterEntry(null, { session: null }))).toBe(false);
  });
});

describe('the last Master that ran', () => {
  const promotion = (term: number, node: string): HistoryEntry => ({
    ...{ term, node, parentTerm: term - 1, timeline: 2, forkLsn: '0/500', from: null, why: 'test', at: '', tookMs: 1 },
  });
  const last = lastMaster('z', { term: 3 });

  it.each(['running', 'draining'] as const)('is the holder itself in phase %s', (phase) => {
    expect(lastRunningMaster(masterValue('a', { phase, last }), null)?.node).toBe('a');
  });

  it.each(['waiting', 'promoting'] as const)('is the one that the holder remembers in phase %s', (phase) => {
    expect(lastRunningMaster(masterValue('a', { phase, last }), { promotions: [promotion(3, 'z')] })).toEqual(last);
  });

  it('is the holder as well where the history tells that its term ran: a later beat may have said less', () => {
    const value = masterValue('a', { term: 4, phase: 'promoting', last });
    expect(lastRunningMaster(value, { promotions: [promotion(3, 'z'), promotion(4, 'a')] })).toMatchObject({
      node: 'a',
      term: 4,
    });
  });
});

describe('the better candidate', () => {
  const better = (answers: ReturnType<typeof vote>[], passedOver: string[] = [], change: Partial<Observation> = {}) =>
    betterCandidate(readyToPromote(change), answers, passedOver)?.node ?? null;

  it('has newer data, by the term first and by the position then', () => {
    expect(better([vote('c', { lsn: '0/5000001' })])).toBe('c');
    expect(better([vote('c', { dataTerm: 4, lsn: '0/9000000' })])).toBeNull();
    expect(better([vote('c', { dataTerm: 6, lsn: '0/1' })])).toBe('c');
  });

  it('among equals has the higher priority; equal members do not make each other wait', () => {
    expect(better([vote('c', { failoverPriority: 1 })])).toBe('c');
    expect(better([vote('c', { failoverPriority: 1 })], [], tagged({ failoverPriority: 1 }))).toBeNull();
    expect(better([vote('a'), vote('c')])).toBeNull();
  });

  it('is the best of several, and of equal ones the first by name', () => {
    const ahead = { lsn: '0/5000100' };
    expect(better([vote('c', { lsn: '0/5000001' }), vote('a', ahead)])).toBe('a');
    expect(better([vote('c', ahead), vote('a', ahead)])).toBe('a');
    expect(better([vote('a', ahead), vote('c', { ...ahead, failoverPriority: 1 })])).toBe('c');
  });

  it.each([
    ['gave no vote', { granted: false }],
    ['is no candidate', { candidate: false }],
    ['does not know its position', { lsn: null }],
    ['has not replayed what it received', { replayed: false }],
  ])('is nobody who %s', (_why, change) => {
    expect(better([vote('c', { lsn: '0/5000001', ...change })])).toBeNull();
  });

  it('is nobody who was let go first before and did not take over', () => {
    expect(better([vote('c', { lsn: '0/5000001' })], ['c'])).toBeNull();
  });

  it('is not looked for without a position of its own', () => {
    expect(better([vote('c')], [], { postgres: standby({ lsn: null }) })).toBeNull();
  });

  it('orders positions by term, then by position', () => {
    const [one, two] = [parseLsn('0/1'), parseLsn('0/2')];
    expect(comparePositions(2, one, 1, two)).toBeGreaterThan(0);
    expect(comparePositions(1, one, 1, two)).toBeLessThan(0);
    expect(comparePositions(1, two, 1, two)).toBe(0);
  });
});

describe('a vote', () => {
  const voted = (term: number, change: Partial<Observation>) => keepsVote(replica({ votedTerm: term, ...change }));
  const holder = (term: number, phase: 'waiting' | 'running', session: string | null = 'session') =>
    sees(masterEntry(masterValue('c', { term, phase }), { session }));

  it('binds while its term waits, and while it is not to be seen yet', () => {
    expect(voted(6, holder(6, 'waiting'))).toBe(true);
    expect(voted(6, holder(5, 'running'))).toBe(true);
  });

  it('binds no more once its term runs, has ended or is over', () => {
    expect(voted(6, holder(6, 'running'))).toBe(false);
    expect(voted(6, holder(6, 'waiting', null))).toBe(false);
    expect(voted(6, holder(7, 'waiting'))).toBe(false);
    expect(voted(0, holder(6, 'waiting'))).toBe(false);
  });

  it('binds where Consul tells nothing, unless the data shows that its term ran', () => {
    expect(voted(6, { master: unknown() })).toBe(true);
    expect(voted(6, { master: unknown(), ...withDisk({ dataTerm: 6 }) })).toBe(false);
  });
});
