import { FIRST_TIMELINE, fork, nextTimeline, switchPoint, type Timeline } from './timeline';

const knowing = (...timelines: Timeline[]): Map<number, Timeline> =>
  new Map(timelines.map((timeline) => [timeline.number, timeline]));

describe('timelines', () => {
  it('get the number after the highest known one, so two promotions apart from each other make the same', () => {
    const a = fork(FIRST_TIMELINE, new Map(), 100);
    const b = fork(FIRST_TIMELINE, new Map(), 200);
    expect([a.number, b.number]).toEqual([2, 2]);
    expect(fork(FIRST_TIMELINE, knowing(a), 300)).toEqual({ number: 3, ancestors: [{ timeline: 1, until: 300 }] });
  });

  it('know where each timeline before them was left, and which came next', () => {
    const two = fork(FIRST_TIMELINE, new Map(), 100);
    const three = fork(two, knowing(two), 200);
    expect([1, 2, 3, 4].map((number) => switchPoint(three, number))).toEqual([
      100,
      200,
      Number.POSITIVE_INFINITY,
      null,
    ]);
    expect(nextTimeline(three, 1)).toEqual(two);
    expect(nextTimeline(three, 2)).toEqual(three);
  });
});
