import fc from 'fast-check';
import { DelayQueue } from './delay-queue';

const WAY = '10.64.0.30>10.64.0.31';
const queueWith = (delayMs: number, jitterMs: number, lossPercent: number, random: () => number) => {
  const queue = new DelayQueue<string>(random);
  queue.setWays({ [WAY]: { delayMs, jitterMs, lossPercent } });
  return queue;
};

describe('packets that are held up', () => {
  it('come out when their time has come, once', () => {
    const queue = queueWith(100, 0, 0, () => 0.5);
    queue.take(WAY, 'a', 1_000);
    expect(queue.nextDue).toBe(1_100);
    expect(queue.due(1_099)).toEqual([]);
    expect(queue.due(1_100)).toEqual(['a']);
    expect(queue.due(2_000)).toEqual([]);
    expect(queue.nextDue).toBeNull();
  });

  it('of a way that is not slow are due at once', () => {
    const queue = queueWith(100, 0, 0, () => 0.5);
    queue.take('10.64.0.31>10.64.0.30', 'b', 1_000);
    queue.take(WAY, 'a', 1_000);
    expect(queue.due(1_000)).toEqual(['b']);
  });

  it('are lost as often as was said', () => {
    const queue = queueWith(0, 0, 25, sequence([0.24, 0.25, 0.5]));
    queue.take(WAY, 'lost', 0);
    queue.take(WAY, 'kept', 0);
    expect(queue.due(0)).toEqual(['kept']);
  });

  it('of one way stay in order, whatever the jitter is, and none waits longer than delay and jitter', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(30)), { maxLength: 30 }),
        (steps) => {
          const queue = queueWith(50, 50, 0, sequence(steps.flatMap(([random]) => [0, random])));
          let now = 0;
          steps.forEach(([, pause], index) => queue.take(WAY, String(index), (now += pause)));
          expect(queue.due(now + 100)).toEqual(steps.map((_, index) => String(index)));
        },
      ),
    );
  });
});

function sequence(numbers: readonly number[]): () => number {
  let next = 0;
  return () => numbers[next++] ?? 0;
}
