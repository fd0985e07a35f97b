import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HistoryEntry, LeftTimeline, TimelinePath } from '@ha-postgres/cluster-state';
import { formatLsn, parseLsn } from '@ha-postgres/lsn';
import { ancestry } from './ancestry';
import { decide } from './decide';
import type { Observation } from './observation';
import { strayFrom } from './stray-timelines';
import { takeoverOutlook } from './takeover';
import {
  INITIALISED,
  NOW,
  address,
  known,
  rejoin,
  replica,
  runner,
  standby,
  stoppedRunner,
} from './testing/observations';

const left = (...steps: [number, string][]): LeftTimeline[] => steps.map(([timeline, at]) => ({ timeline, at }));
const path = (newest: number, ...steps: [number, string][]): TimelinePath => ({ left: left(...steps), newest });

function promotion(timeline: number, steps?: readonly LeftTimeline[]): HistoryEntry {
  const entry = {
    term: 6,
    parentTerm: 5,
    timeline,
    forkLsn: '0/500',
    node: 'a',
    from: 'b',
    why: '',
    at: '',
    tookMs: 1,
  };
  return steps === undefined ? entry : { ...entry, left: steps };
}

/** On timelines 1 up to 0/500, 3 up to 0/800, then 4. */
const MASTER = promotion(4, left([1, '0/500'], [3, '0/800']));
const parting = (own: TimelinePath, master = MASTER) => {
  const stray = strayFrom(master, own);
  return stray === null ? null : [stray.forkLsn && formatLsn(stray.forkLsn), stray.leftTimeline, stray.timelines];
};

describe('data that has been where its Master’s was, as far as it has come', () => {
  it.each([
    ['before the first switch', path(1)],
    ['between', path(3, [1, '0/500'])],
    ['with it', path(4, [1, '0/500'], [3, '0/800'])],
    ['with it, the position written otherwise', path(4, [1, '00000000/00000500'], [3, '0/800'])],
  ])('%s', (_, own) => {
    expect(strayFrom(MASTER, own)).toBeNull();
  });

  it('is whatever nothing is known of', () => {
    expect(strayFrom(MASTER, null)).toBeNull();
    expect(strayFrom(promotion(4), path(9))).toBeNull();
    expect(strayFrom(undefined, path(9))).toBeNull();
  });

  it('is every beginning of the Master’s own way', () => {
    const ways = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(ways, fc.nat(), (numbers, cut) => {
        const sorted = [...numbers].sort((a, b) => a - b);
        const steps = left(...sorted.slice(0, -1).map((one, i): [number, string] => [one, `0/${(i + 1) * 100}`]));
        const at = cut % sorted.length;
        const own = { left: steps.slice(0, at), newest: sorted[at] ?? 0 };
        expect(strayFrom(promotion(sorted.at(-1) ?? 0, steps), own)).toBeNull();
      }),
    );
  });
});

describe('data that went another way', () => {
  it('was promoted by hand: it left a timeline that its Master is still on', () => {
    expect(parting(path(5, [1, '0/500'], [3, '0/800'], [4, '0/900']))).toEqual(['0/900', 4, []]);
    expect(parting(path(2, [1, '0/500']), promotion(1, []))).toEqual(['0/500', 1, []]);
  });

  it('left a timeline elsewhere, for one of the same number or of another', () => {
    expect(parting(path(3, [1, '0/400']))).toEqual(['0/400', 1, [3, 4]]);
    expect(parting(path(4, [1, '0/500'], [3, '0/900']))).toEqual(['0/800', 3, [4]]);
    expect(parting(path(2, [1, '0/600']))).toEqual(['0/500', 1, [3, 4]]);
  });

  it('left it at the same position, for one of another number', () => {
    expect(parting(path(2, [1, '0/500']))).toEqual(['0/500', 1, [3, 4]]);
  });

  it('has nothing in common', () => {
    expect(parting(path(7))).toEqual([null, null, [1, 3, 4]]);
  });

  it('is no ancestor, though it records the Master’s very term, or its position is one before the fork', () => {
    const history = { promotions: [{ ...promotion(1, []), term: 5, parentTerm: 0 }, MASTER] };
    const position = { lsn: parseLsn('0/300'), replayed: true };
    const judge = (dataTerm: number, own: TimelinePath | null) =>
      ancestry({ term: 6 }, history, { dataTerm }, position, own).kind;
    const byHand = path(2, [1, '0/200']);
    expect([judge(6, null), judge(6, path(1)), judge(6, byHand)]).toEqual(['ancestor', 'ancestor', 'diverged']);
    expect([judge(5, null), judge(5, path(1)), judge(5, byHand)]).toEqual(['ancestor', 'ancestor', 'diverged']);
    // Newer than the Master's: only Consul's memory can have gone back, and nothing is given up.
    expect(judge(7, byHand)).toBe('unknown');
  });
});

it('positions are compared as numbers', () => {
  expect(strayFrom(MASTER, path(3, [1, '0/501']))?.forkLsn).toBe(0x500n);
});

describe('a Replica that somebody promoted by hand, and that was killed and started again', () => {
  const data = { ...INITIALISED, timelines: path(2, [1, '0/4800000']) };
  const entry = { ...promotion(1, []), term: 5, parentTerm: 0 };
  const stray = (change: Partial<Observation> = {}) =>
    replica({ history: known({ promotions: [entry] }), runner: runner({ receivingFrom: 'a', data }), ...change });
  const stopped = (change: Partial<Observation> = {}) =>
    stray({ disk: { ...replica().disk, rejoining: 5 }, runner: stoppedRunner({ data }), ...change });

  it('stops to rejoin, though its data is of the Master’s own term', () => {
    expect(decide(stray({ runner: runner({ receivingFrom: 'a' }) })).rule).toBe('replicaFollowsTheRunningMaster');
    const { rule, actions } = decide(stray());
    expect([rule, actions]).toEqual(['divergedReplicaStopsToRejoin', [{ type: 'recordRejoining', term: 5 }]]);
  });

  it('is judged by what Consul says afterwards: a newer Master may have made those timelines', () => {
    const turnsAway = { kind: 'follow', upstream: null };
    expect(decide(stray({ timelinesAreNewer: true }))).toMatchObject({
      rule: 'replicaWaitsForTheHistory',
      instruction: turnsAway,
    });
    const { rule, actions } = decide(stopped({ timelinesAreNewer: true }));
    expect([rule, actions]).toEqual(['rejoiningNodeWaitsForAMaster', []]);
    const follows = stray({ timelinesAreNewer: true, runner: runner({ receivingFrom: 'a' }) });
    expect(decide(follows).rule).toBe('replicaFollowsTheRunningMaster');
  });

  it('goes on with what it was told, whatever timelines it shows meanwhile', () => {
    const { instruction } = decide(stopped());
    if (instruction === null) throw new Error('it is told to rejoin');
    const published = { instruction, instructionIndex: 7, since: NOW };
    expect(decide(stopped({ timelinesAreNewer: true, published })).rule).toBe('nodeRejoinsTheRunningMaster');
  });

  it('is asked what it holds beyond where it left its Master’s timeline, and gives nothing up unasked', () => {
    const told = {
      how: 'examine',
      forkLsn: '0/4800000',
      leftTimeline: 1,
      timelines: [],
      isStray: true,
      mayLose: false,
    };
    expect(decide(stopped()).instruction).toMatchObject({ kind: 'rejoin', ...told });
    expect(decide(stopped({ rejoinAllowed: true })).instruction).toMatchObject({ ...told, mayLose: true });
    const never = { ...replica().policy, rejoin: 'never' as const };
    expect(decide(stopped({ policy: never })).instruction?.kind).toBe('blocked');
  });

  it('goes on as it was told while its data is being replaced, and shows nothing any more', () => {
    const before = decide(stopped()).instruction;
    if (before?.kind !== 'rejoin') throw new Error('it is not told to rejoin');
    const published = { instruction: { ...rejoin(), ...before }, instructionIndex: 10, since: 0 };
    const replaced = stoppedRunner({ data: { ...INITIALISED, timelines: null } });
    expect(decide(stopped({ published, runner: replaced })).instruction).toEqual(before);
  });

  it('does not take over when its Master is gone', () => {
    expect(takeoverOutlook(stray())).toMatchObject({ able: false, why: expect.stringContaining('left timeline 1') });
    expect(takeoverOutlook(stray({ runner: runner() })).able).toBe(true);
  });
});

describe('a copy of the Master’s data', () => {
  const copied = (timeline: number, change: Partial<Observation> = {}) => {
    const instruction = rejoin({ upstream: { ...address('a'), term: 5 } });
    return replica({
      disk: { ...replica().disk, rejoining: 5 },
      history: known({ promotions: [{ ...promotion(4, MASTER.left), term: 5 }] }),
      published: { instruction, instructionIndex: 10, since: NOW },
      runner: runner({ obeysIndex: 10, receivingFrom: 'a', rejoined: { term: 5, how: 'copied' }, data: INITIALISED }),
      postgres: standby({ receiver: { host: 'a.local', port: 5432, timeline, streaming: true } }),
      ...change,
    });
  };
  const finished = (o: Observation) => decide(o).actions.some(({ type }) => type === 'finishRejoin');

  it('counts as data of that term once it streams, also from a timeline before its own', () => {
    expect([3, 4].map((timeline) => finished(copied(timeline)))).toEqual([true, true]);
  });

  it('does not by WAL of a later term, in which the same node runs by now', () => {
    expect(finished(copied(5))).toBe(false);
    const data = { ...INITIALISED, timelines: path(5, [1, '0/500'], [3, '0/800'], [4, '0/900']) };
    const report = copied(4).runner;
    if (!report.known) throw new Error('it has reported');
    const withTimelines = { runner: runner({ ...report.value, data }) };
    expect(finished(copied(4, { ...withTimelines, timelinesAreNewer: true }))).toBe(false);
  });
});
