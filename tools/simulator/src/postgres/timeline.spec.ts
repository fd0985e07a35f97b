import { FIRST_TIMELINE, fork, latest, switchPoint, timelineAt, type Timeline } from './timeline';

const knowing = (...timelines: Timeline[]): Map<number, Timeline> =>
  new Map(timelines.map((timeline) => [timeline.number, timeline]));

describe('timelines', () => {
  it('get the number after the highest known one, so two promotions apart from each other make the same', () => {
    const a = fork(FIRST_TIMELINE, new Map(), 100);
    const b = fork(FIRST_TIMELINE, new Map(), 200);
    expect([a.number, b.number]).toEqual([2, 2]);
    expect(fork(FIRST_TIMELINE, knowing(a), 300)).toEqual({ number: 3, ancestors: [{ timeline: 1, until: 300 }] });
  });

  it('know where each timeline before them was left, and to which a position belongs', () => {
    const two = fork(FIRST_TIMELINE, new Map(), 100);
    const three = fork(two, knowing(two), 200);
    expect([1, 2, 3, 4].map((number) => switchPoint(three, number))).toEqual([
      100,
      200,
      Number.POSITIVE_INFINITY,
      null,
    ]);
    expect([99, 100, 199, 200].map((lsn) => timelineAt(three, lsn))).toEqual([FIRST_TIMELINE, two, two, three]);
    const onLostWal: Timeline = { number: 3, ancestors: [...two.ancestors, { timeline: 2, until: 50 }] };
    expect([49, 50, 100].map((lsn) => timelineAt(onLostWal, lsn).number)).toEqual([1, 3, 3]);
  });

  it('are gone by once they are heard of, but not where what is replayed is no part of them', () => {
    const two = fork(FIRST_TIMELINE, new Map(), 100);
    const three = fork(two, knowing(two), 200);
    const strange: Timeline = { number: 3, ancestors: [{ timeline: 1, until: 100 }] };
    expect(latest(FIRST_TIMELINE, knowing(two, three), 100)).toEqual(three);
    expect(latest(FIRST_TIMELINE, knowing(two, three), 101)).toEqual(FIRST_TIMELINE);
    expect(latest(two, knowing(two, strange), 100)).toEqual(two);
    expect(latest(three, knowing(two), 300)).toEqual(three);
  });
});
