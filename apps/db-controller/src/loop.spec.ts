import type { NodeStatus } from '@ha-postgres/cluster-state';
import type { Action, Effects, Hold } from '@ha-postgres/failover';
import { monotonicNow, nanosTextToMillis } from '@ha-postgres/service-kit';
import { until } from '../test/fixture/clock';
import { LSN, address, masterValue, runnerReport, standby } from '../test/fixture/values';
import { endWorlds, world, type World } from '../test/fixture/world';
import { Loop } from './loop';
import { ClockJump } from './observe/clock-jump';

const loops: Loop[] = [];
afterEach(() => {
  for (const loop of loops.splice(0)) loop.stop();
  endWorlds();
});

/** A loop whose effects do as the test says, and are kept with when they began. */
function looping(w: World, effect: (action: Action) => Promise<void> = () => Promise.resolve()) {
  const begun: { action: Action; at: number }[] = [];
  const statuses: NodeStatus[] = [];
  const effects = new Proxy({} as Effects, {
    get: () => (action: Action) => {
      begun.push({ action, at: monotonicNow() });
      return effect(action);
    },
  });
  const loop = new Loop(w.parts, effects, new ClockJump(300, w.parts.clock), (told) => statuses.push(told.whole()));
  loops.push(loop);
  const times = (type: Action['type']) => begun.filter(({ action }) => action.type === type).map(({ at }) => at);
  return { loop, begun, statuses, times };
}

/** Node `b` may take the lock, which `a` has released at the end of its WAL. */
async function candidate(): Promise<World> {
  const w = world();
  const { keys, disk, facts } = w.parts;
  w.set(keys.master, masterValue({ phase: 'draining', released: true, lsn: LSN }));
  w.set(keys.members, { members: [address('a'), address('b')] });
  w.set(keys.master, masterValue({ phase: 'draining', released: true, lsn: LSN, beat: 2 }));
  disk.update({ dataTerm: 5 });
  facts.runner = { known: true, seenAt: monotonicNow(), value: runnerReport() };
  await w.look();
  return w;
}

/** Node `b` runs as Master of term 6. */
async function master(change: Partial<Hold> = {}): Promise<{ w: World; view: Hold }> {
  const w = await candidate();
  const view: Hold = {
    term: 6,
    phase: 'running',
    acquiredAt: monotonicNow(),
    provenAt: monotonicNow(),
    endsAt: monotonicNow() + 60_000,
    lost: false,
    unansweredSince: null,
    waitUntil: Number.NEGATIVE_INFINITY,
    predecessor: null,
    last: null,
    ...change,
  };
  w.parts.facts.hold = { view, facts: { term: 6 }, stop: () => undefined } as never;
  w.postgres.sight = standby({ inRecovery: false });
  return { w, view };
}

describe('the loop', () => {
  it('decides once for all that happens in one turn', async () => {
    const w = await candidate();
    const { loop, statuses } = looping(w);
    loop.poke();
    loop.poke();
    loop.poke();
    expect(statuses).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(statuses).toHaveLength(1);
  });

  it('decides again by itself, for what changes without an event', async () => {
    const w = await candidate();
    const { loop, statuses } = looping(w);
    loop.poke();
    await until('it has decided three times', () => statuses.length >= 3);
  });

  it('publishes nothing and tells nothing before anything is known', async () => {
    const w = world();
    const { loop, statuses } = looping(w);
    loop.poke();
    await until('it has decided', () => w.log.of('rule.changed').length > 0);
    expect(w.parts.publisher.published).toBeNull();
    expect(statuses).toEqual([]);
  });

  it('logs a rule when it begins to hold, and not again', async () => {
    const w = await candidate();
    const { loop, statuses } = looping(w);
    loop.poke();
    await until('it has decided three times', () => statuses.length >= 3);
    expect(w.log.of('rule.changed')).toEqual([
      expect.objectContaining({ rule: 'candidateTakesAFreeLock', role: 'Replica', actions: ['acquire'] }),
    ]);
  });

  it('remembers on disk the highest term that it saw', async () => {
    const w = await candidate();
    const { loop, statuses } = looping(w);
    loop.poke();
    await until('it has decided', () => statuses.length > 0);
    expect(w.diskAgain().record.highestTerm).toBe(5);
  });

  it('ends with stop', async () => {
    const w = await candidate();
    const { loop, statuses } = looping(w);
    loop.poke();
    loop.stop();
    loop.poke();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(statuses).toEqual([]);
  });
});

describe('an effect', () => {
  it('in flight is not started twice', async () => {
    const w = await candidate();
    const ends: (() => void)[] = [];
    const { loop, times, statuses } = looping(w, () => new Promise((resolve) => ends.push(resolve)));
    loop.poke();
    await until('it has decided many times', () => {
      loop.poke();
      return statuses.length > 20;
    });
    expect(times('acquire')).toHaveLength(1);
    expect(loop.observation().inFlight.has('acquire')).toBe(true);
    ends[0]?.();
    await until('it is started again', () => times('acquire').length === 2);
    expect(ends).toHaveLength(2);
  });

  it('that failed is told, and not tried again at once', async () => {
    const w = await candidate();
    const { loop, times } = looping(w, () => Promise.reject(new Error('no answer')));
    loop.poke();
    await until('it was tried three times', () => {
      loop.poke();
      return times('acquire').length === 3;
    });
    const [first = NaN, second = NaN, third = NaN] = times('acquire');
    expect(second - first).toBeGreaterThanOrEqual(200);
    expect(third - second).toBeGreaterThanOrEqual(200);
    expect(w.log.of('action.failed')[0]).toMatchObject({ action: 'acquire', why: 'no answer', level: 'warn' });
  });

  it('that changed nothing does not keep the loop spinning', async () => {
    const w = await candidate();
    const { loop, times } = looping(w);
    loop.poke();
    await until('it was repeated', () => {
      loop.poke();
      return times('acquire').length >= 4;
    });
    const gaps = times('acquire')
      .slice(1)
      .map((at, i) => at - (times('acquire')[i] ?? NaN));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(19);
  });
});

describe('what is published', () => {
  it('of a Master is when fencing must begin: its lease less the time that takes', async () => {
    const { w, view } = await master();
    const { loop } = looping(w);
    loop.poke();
    await until('it is told', () => w.parts.publisher.published !== null);
    const { current } = w.parts.publisher.states;
    expect(current).toMatchObject({ role: 'Master', instruction: { kind: 'lead', term: 6 }, term: 6, ready: true });
    expect(nanosTextToMillis(current.validUntil)).toBeCloseTo(view.endsAt - 700, 3);
  });

  it.each([
    ['whose lease is about to end', { endsAt: 0 }],
    ['whose lock is lost', { lost: true }],
  ])('of a Master %s is to stop, and it is ready for nobody', async (_, change) => {
    const { w } = await master(change);
    const { loop, statuses } = looping(w);
    loop.poke();
    await until('it is told', () => w.parts.publisher.published !== null);
    expect(w.parts.publisher.states.current).toMatchObject({
      role: 'Replica',
      instruction: { kind: 'stop', mode: 'immediate' },
      ready: false,
    });
    expect(statuses[0]).toMatchObject({ node: 'b', role: 'Replica', term: 6 });
  });

  it.each([
    ['is ready when it streams', {}, false, true, 'streams as Replica'],
    ['is not ready when it does not stream', {}, true, false, 'does not stream from the Master'],
    ['is not ready when PostgreSQL is down', { alive: false, inRecovery: null }, false, false, 'standby mode'],
    ['is not ready out of recovery', { inRecovery: false }, false, false, 'standby mode'],
  ])('of a Replica %s', async (_, change, fails, ready, why) => {
    const w = await candidate();
    w.postgres.sight = standby(change);
    w.postgres.isReplicationFailing = fails;
    const { loop } = looping(w);
    loop.poke();
    await until('it is told', () => w.parts.publisher.published !== null);
    const { current } = w.parts.publisher.states;
    expect(current).toMatchObject({ role: 'Replica', ready });
    expect(current.readyWhy).toContain(why);
  });

  it('of a Replica that never had data of the cluster is not ready', async () => {
    const w = await candidate();
    w.parts.disk.update({ dataTerm: 0 });
    const { loop } = looping(w);
    loop.poke();
    await until('it is told', () => w.parts.publisher.published !== null);
    expect(w.parts.publisher.states.current).toMatchObject({ ready: false });
  });

  it('of a DeadMaster is to stay down, ready for nobody', async () => {
    const w = await candidate();
    w.parts.disk.update({ deadMaster: true, ledTerm: 4 });
    const { loop } = looping(w);
    loop.poke();
    await until('it is told', () => w.parts.publisher.published !== null);
    expect(w.parts.publisher.states.current).toMatchObject({
      role: 'DeadMaster',
      instruction: { kind: 'blocked' },
      ready: false,
      status: { takeover: { able: false } },
    });
  });
});
