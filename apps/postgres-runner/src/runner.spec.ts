import type { RejoinInstruction, RoleAnswer, RunnerInstruction } from '@ha-postgres/cluster-state';
import { millisToNanosText, type Clock } from '@ha-postgres/service-kit';
import type { RejoinMark } from './core/facts';
import type { Marks } from './disk/runner-state';
import type { RunningPostmaster } from './postgres/postmaster';
import { Runner, type RunnerParts } from './runner';

/** Time that passes when the test lets it. */
class TestClock implements Clock {
  private time = 1_000;
  private timers: { at: number; fn: () => void }[] = [];

  now(): number {
    return this.time;
  }

  schedule(ms: number, fn: () => void) {
    const timer = { at: this.time + ms, fn };
    this.timers.push(timer);
    return { cancel: () => void (this.timers = this.timers.filter((one) => one !== timer)) };
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.timers = this.timers.filter((one) => one !== next);
      this.time = Math.max(this.time, next.at);
      next.fn();
      // What was promised meanwhile is kept before time goes on.
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
    this.time = end;
  }
}

const UPSTREAM = { node: 'm', host: 'm', port: 5432, apiPort: 8080, term: 3 };
const COPY: RejoinInstruction = {
  ...{ kind: 'rejoin', upstream: UPSTREAM, how: 'copy', dataTerm: 3, forkLsn: null, leftTimeline: null },
  ...{ timelines: [], mayLose: false, why: 'it cannot catch up with term 3' },
};

/** A Replica whose copies all turn out to lack WAL that the Master has removed, as one that writes faster than it is copied. */
function runnerOfUselessCopies() {
  const clock = new TestClock();
  const copiedAt: number[] = [];
  const copies = { walGone: 'removed' as string | null };
  let marks = { mark: null, systemId: '1', rejoin: null as RejoinMark | null, divergence: null };
  const state = {
    get marks() {
      return marks as unknown as Marks;
    },
    update: (change: Partial<Marks>) => void (marks = { ...marks, ...(change as typeof marks) }),
  };
  let hasEnded: () => void = () => undefined;
  const postmaster = () => {
    const exited = new Promise<void>((resolve) => (hasEnded = resolve)).then(() => ({
      ...{ code: 0, signal: null, at: clock.now(), asked: true },
    }));
    const shown = { ...{ pid: 1, isReady: true, inRecovery: true, upstream: UPSTREAM, lastFatal: null }, control: {} };
    return { ...shown, startedAt: clock.now(), exited, poll: () => false, asked: false, ...copies };
  };
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  let listener: { onAnswer: (answer: RoleAnswer) => unknown } | null = null;
  let index = 0;
  const parts = {
    node: 'a',
    state,
    server: {
      settings: { synchronousStandbyNames: '', admits: 'everyone' },
      ...{ start: () => postmaster() as unknown as RunningPostmaster, configure: () => undefined },
      ...{ repoint: () => undefined, endUnwantedReceivers: () => undefined, takeBackAltered: () => undefined },
      forget: () => undefined,
    },
    client: {
      poll: (given: typeof listener) => {
        listener = given;
        return Promise.resolve();
      },
      ...{ post: () => undefined, flush: () => Promise.resolve(), close: () => undefined },
    },
    machine: {
      ...{ clock, bootId: 'boot', incarnation: 'i', killAll: () => Promise.resolve(), removeReplaced: () => undefined },
      inspect: () => ({ state: 'initialised', fresh: false, problem: null, systemId: '1' }),
      carryOut: ({ kind }: { kind: string }) => {
        if (kind === 'stopFast') hasEnded();
        if (kind === 'rejoin') {
          copiedAt.push(clock.now());
          state.update({ rejoin: { term: 3, stage: 'copied' } });
        }
        return Promise.resolve(null);
      },
    },
    log,
    fail: (error: unknown) => {
      throw error;
    },
  } as unknown as RunnerParts;
  const runner = new Runner(parts);
  const say = (told: RunnerInstruction) => {
    index += 1;
    listener?.onAnswer({
      ...{ index, bootId: 'boot', node: 'a', role: 'Replica', term: 3, instruction: told, master: null },
      validUntil: millisToNanosText(clock.now() + 1e9),
    });
  };
  return { clock, copies, copiedAt, runner, say };
}

const gaps = (moments: readonly number[]) => moments.slice(1).map((at, i) => at - (moments[i] ?? 0));

test('copies that turn out to be of no use are taken again after ever longer pauses, and at once after one was proven', async () => {
  const { clock, copies, copiedAt, runner, say } = runnerOfUselessCopies();
  await runner.start();
  say(COPY);
  await clock.advance(20_000);
  expect(copiedAt.length).toBeGreaterThanOrEqual(4);
  for (const [i, gap] of gaps(copiedAt).entries()) expect(gap).toBeGreaterThanOrEqual(1_000 * 2 ** i);
  // The next one is of use, and streams: what comes later is another story.
  copies.walGone = null;
  await clock.advance(20_000);
  say({ kind: 'follow', upstream: UPSTREAM });
  const before = copiedAt.length;
  copies.walGone = 'removed';
  say(COPY);
  await clock.advance(5_000);
  const later = copiedAt.slice(before);
  expect(later.length).toBeGreaterThanOrEqual(2);
  expect(gaps(later)[0]).toBeLessThan(4_000);
});
