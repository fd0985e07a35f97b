import { describe, expect, it } from '@jest/globals';
import type { Observation } from './observation';
import { mayPromiseFailsafe, mayVote } from './peers';
import { NOW, hold, known, masterEntry, masterValue, replica, unknown } from './testing/observations';

const disk = replica().disk;

describe('a vote', () => {
  it('is given to the holder of the newest term, also more than once', () => {
    expect(mayVote(replica(), { term: 6, candidate: 'c' }).agree).toBe(true);
    expect(mayVote(replica({ votedTerm: 6 }), { term: 6, candidate: 'c' }).agree).toBe(true);
  });

  it.each<[string, Partial<Observation>]>([
    ['holds the lock itself (term 6)', { hold: hold() }],
    ['has seen term 7, newer than 6', { disk: { ...disk, highestTerm: 7 } }],
    ['has seen term 8, newer than 6', { votedTerm: 8 }],
  ])('is refused by one who %s', (why, change) => {
    expect(mayVote(replica(change), { term: 6, candidate: 'c' })).toEqual({ agree: false, why });
  });
});

describe('the promise that lets a Master go on without Consul', () => {
  const asked = (change: Partial<Observation> = {}, answeredAt: number | null = null, term = 5, holder = 'a') =>
    mayPromiseFailsafe(replica(change), { term, holder }, answeredAt);

  it('is given where Consul does not answer this node either', () => {
    expect(asked().agree).toBe(true);
    expect(asked({ master: unknown() }).agree).toBe(true);
    expect(asked({}, NOW - 500).agree).toBe(true);
  });

  it('is given to its successor by one whose lost hold cannot end yet, as a killed PostgreSQL is still there', () => {
    const lost = { term: 4, lost: true, endsAt: NOW } as const;
    expect(asked({ hold: hold(lost) }).agree).toBe(true);
    // Not lost, not over, or in the way of its own term.
    for (const still of [{ lost: false }, { endsAt: NOW + 1 }, { term: 5 }])
      expect(asked({ hold: hold({ ...lost, ...still }) })).toMatchObject({ agree: false });
  });

  it.each<[string, Partial<Observation>]>([
    ['holds the lock itself', { hold: hold() }],
    ['may have just taken it', { acquiring: true }],
    ['may have just taken it', { resuming: true }],
    ['has seen term 6, newer than 5', { disk: { ...disk, highestTerm: 6 }, master: unknown() }],
    ['has seen term 6, newer than 5', { votedTerm: 6 }],
    ["Consul's memory went back", { disk: { ...disk, highestModifyIndex: 101 } }],
  ])('is refused by one who %s', (why, change) => {
    const consent = asked(change);
    expect(consent.agree).toBe(false);
    expect(consent.why).toContain(why);
  });

  it('is refused where Consul answers: a Master that alone is cut off must be replaced', () => {
    expect(asked({}, NOW - 499)).toEqual({ agree: false, why: 'Consul answers here' });
  });

  it('is refused to one who does not hold that term', () => {
    const master = known({ entry: masterEntry(masterValue('c')) });
    expect(asked({ master })).toEqual({ agree: false, why: 'term 5 is held by c' });
  });
});
