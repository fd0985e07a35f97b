import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { silentLog } from './log';
import { FakeConsul, VirtualClock } from './testing/index';
import { TokenBucket } from './token-bucket';
import { Watch, watchKey, type Watched } from './watch';
import { firstWatchState, watchStep, type WatchState } from './watch-step';

const same = (a: string, b: string): boolean => a === b;

describe('a step of a blocking query', () => {
  it('goes on from the index of the answer, and says nothing of the same content', () => {
    const first = watchStep<string>(firstWatchState, { value: 'x', index: 5 }, same);
    expect(first).toEqual({ state: { index: 5, last: { value: 'x' } }, emit: true });
    const second = watchStep(first.state, { value: 'x', index: 9 }, same);
    expect(second).toEqual({ state: { index: 9, last: { value: 'x' } }, emit: false });
  });

  it.each([
    ['went backwards', 4],
    ['is zero', 0],
  ])('starts over when the index %s, and still reports a change', (_what, index) => {
    const state: WatchState<string> = { index: 5, last: { value: 'x' } };
    expect(watchStep(state, { value: 'y', index }, same)).toEqual({
      state: { index: undefined, last: { value: 'y' } },
      emit: true,
    });
  });

  it('reports every value that differs from the one before, whatever the indexes', () => {
    const answers = fc.array(fc.record({ value: fc.constantFrom('x', 'y'), index: fc.nat(20) }));
    fc.assert(
      fc.property(answers, (all) => {
        let state: WatchState<string> = firstWatchState;
        const seen: string[] = [];
        for (const answer of all) {
          const step = watchStep(state, answer, same);
          expect(step.state.index === undefined || step.state.index === answer.index).toBe(true);
          if (step.emit) seen.push(answer.value);
          state = step.state;
        }
        expect(seen).toEqual(all.map((one) => one.value).filter((value, at, values) => value !== values[at - 1]));
      }),
    );
  });
});

describe('a token bucket', () => {
  it('gives its burst at once, then one at a time, and fills no higher than the burst', () => {
    const bucket = new TokenBucket(2, 50);
    expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 50, 100]);
    expect([bucket.take(10_000), bucket.take(10_000), bucket.take(10_000)]).toEqual([0, 0, 50]);
  });
});

describe('a watch', () => {
  const watched = (value: string, index: number): Watched<string> => ({ value, index, sentAt: 0, receivedAt: 0 });

  it('asks again for ever after errors, at longer intervals up to a bound, and anew after a success', async () => {
    const clock = new VirtualClock();
    const asked: number[] = [];
    let healed = false;
    const read = (): Promise<Watched<string>> => {
      asked.push(clock.now());
      return healed ? Promise.resolve(watched('x', asked.length)) : Promise.reject(new Error('500'));
    };
    const failures: number[] = [];
    const values: string[] = [];
    const watch = new Watch<string>({
      read,
      clock,
      random: () => 0,
      log: silentLog,
      onValue: (value) => values.push(value),
      onError: (_error, inARow) => failures.push(inARow),
    });
    watch.start();
    await clock.advance(60_000);
    const gaps = asked.slice(1).map((at, before) => at - (asked[before] ?? 0));
    expect(gaps.slice(0, 8)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(failures.at(-1)).toBe(failures.length);
    healed = true;
    await clock.advance(5000);
    expect(values).toEqual(['x']);
    watch.stop();
  });

  it('does not storm a Consul that answers at once, and outlives a callback that throws', async () => {
    const clock = new VirtualClock();
    let reads = 0;
    let answers = 0;
    const watch = new Watch<string>({
      read: () => Promise.resolve(watched('same', (reads += 1))),
      clock,
      log: silentLog,
      onAnswer: () => (answers += 1),
      onValue: () => {
        throw new Error('a bug of the caller');
      },
    });
    watch.start();
    await clock.advance(1000);
    expect(reads).toBeLessThanOrEqual(5 + 1000 / 50 + 1);
    expect(answers).toBeGreaterThan(10);
    expect(watch.lastAnswerAt).toBe(0);
    watch.stop();
  });

  it('calls nothing after it was stopped, and reports anew when started again', async () => {
    const clock = new VirtualClock();
    const consul = new FakeConsul(clock);
    const seen: (string | null)[] = [];
    const watch = watchKey(
      consul.client(),
      'k',
      { clock, log: silentLog },
      { onValue: (entry) => seen.push(entry?.value ?? null) },
    );
    watch.start();
    watch.start();
    await clock.advance(10);
    consul.store.apply([{ verb: 'set', key: 'k', value: 'one' }]);
    watch.stop();
    await clock.advance(100_000);
    expect(seen).toEqual([null]);
    watch.start();
    await clock.advance(10);
    expect(seen).toEqual([null, 'one']);
    watch.stop();
    await clock.advance(10);
  });

  it('takes the next path after a failure, so that it outlives the agent', async () => {
    const clock = new VirtualClock();
    const consul = new FakeConsul(clock);
    const vias: string[] = [];
    const client = consul.client({
      servers: ['s1'],
      fate: ({ via }) => (
        vias.push(via),
        via === 'agent' ? { toServerMs: null, toClientMs: null } : { toServerMs: 1, toClientMs: 1 }
      ),
    });
    const seen: unknown[] = [];
    const watch = watchKey(client, 'k', { clock, log: silentLog }, { onValue: (entry) => seen.push(entry) });
    watch.start();
    await clock.advance(20_000);
    expect(vias.slice(0, 2)).toEqual(['agent', 's1']);
    expect(seen).toEqual([null]);
    watch.stop();
  });
});
