import type { MasterValue } from '@ha-postgres/cluster-state';
import type { TxnOperation } from '@ha-postgres/consul-election';
import { bootId, monotonicNow } from '@ha-postgres/service-kit';
import { parseLsn } from '@ha-postgres/lsn';
import { until } from '../../test/fixture/clock';
import { address, standby } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { holdOptions, openSession } from './lock-effects';
import { OwnHold, adoptHold, type HoldFacts } from './own-hold';

const last = { node: 'a', term: 5, timeline: 1, lsn: '0/4000000' };
const facts: HoldFacts = {
  term: 6,
  acquiredAt: 1000,
  waitUntil: 4300,
  predecessor: { node: 'a', term: 5 },
  last,
  parentTerm: 5,
};

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  endWorlds();
});

/** A hold of `b`, acquired in a Consul in memory. */
async function held(change: Partial<HoldFacts> = {}): Promise<{ w: World; hold: OwnHold; value: () => MasterValue }> {
  const w = world('--heartbeat-interval=50ms', '--unanswered-limit=50ms');
  const { parts, consul } = w;
  const session = await openSession(parts);
  const hold = new OwnHold({ ...facts, ...change }, session, holdOptions(parts));
  stops.push(() => hold.stop());
  w.write({ verb: 'lock', key: parts.keys.master, value: '{}', session: session.id });
  const entry = consul.store.get(parts.keys.master);
  hold.start({ sentAt: monotonicNow(), modifyIndex: entry?.modifyIndex ?? 0 });
  const value = () => JSON.parse(consul.store.get(parts.keys.master)?.value ?? '') as MasterValue;
  await until('it beats', () => value().beat === 1);
  return { w, hold, value };
}

function versionIn(operations: readonly TxnOperation[], key: string): number | undefined {
  const [value] = operations.flatMap((one) => (one.key === key && 'value' in one ? [one.value] : []));
  return (JSON.parse(value ?? '{}') as MasterValue).syncVersion;
}

describe('the value of a hold', () => {
  it('names the node, the term, the last Master that ran, and where its own WAL ends', async () => {
    const { value } = await held();
    expect(value()).toMatchObject({
      ...address('b'),
      term: 6,
      phase: 'waiting',
      lsn: '0/5000000',
      lsnExact: false,
      released: false,
      successor: null,
      last,
    });
  });

  it('has a new beat each time, and keeps the last position when PostgreSQL gives none', async () => {
    const { w, value } = await held();
    w.postgres.sight = standby({ lsn: parseLsn('0/7000000'), timeline: 2 });
    await until('it is told', () => value().lsn === '0/7000000');
    const { beat } = value();
    w.postgres.sight = standby({ lsn: null, timeline: null });
    await until('it has beaten twice', () => value().beat > beat + 1);
    expect(value()).toMatchObject({ lsn: '0/7000000', timeline: 2 });
  });

  it('tells the version of the synchronous rule with the very write of it', async () => {
    const { w, hold, value } = await held();
    const { sync } = w.parts.keys;
    const rule = { version: 3, term: 6, mode: 'quorum', k: 1, names: ['a'], previous: null };
    const versions: (number | undefined)[] = [];
    w.fate = ({ operations }) => {
      const isThat = operations.some(({ key }) => key === sync);
      if (isThat) versions.push(versionIn(operations, w.parts.keys.master));
      return { toServerMs: 0, toClientMs: 0 };
    };
    await hold.write([{ key: sync, value: JSON.stringify(rule), modifyIndex: null }]);
    expect(versions).toEqual([3]);
    // From then on as far as this node knows of it.
    await until('a beat follows', () => value().syncVersion === undefined);
    w.parts.disk.sawSync(3);
    await until('it is told', () => value().syncVersion === 3);
  });

  it('says promoting as soon as that is asked for', async () => {
    const { hold, value } = await held();
    hold.promoting();
    expect(hold.view.phase).toBe('promoting');
    await until('it is told', () => value().phase === 'promoting');
  });

  it('says running together with what is written beside it, and only then is so itself', async () => {
    const { w, hold, value } = await held();
    const result = await hold.run([{ key: w.parts.keys.history, value: '[]', modifyIndex: null }]);
    expect(result.done).toBe(true);
    expect(hold.view.phase).toBe('running');
    await until('the key says so', () => value().phase === 'running');
    expect(w.consul.store.get(w.parts.keys.history)?.value).toBe('[]');
  });

  it('says running in no other beat until that is answered: the history is not written yet', async () => {
    const { w, hold, value } = await held();
    hold.promoting();
    const { history } = w.parts.keys;
    let isUnderWay = false;
    w.fate = ({ operations }) => {
      const isThat = operations.some(({ key }) => key === history);
      isUnderWay ||= isThat;
      return isThat ? { toServerMs: null, toClientMs: null } : { toServerMs: 0, toClientMs: 0 };
    };
    void hold.run([{ key: history, value: '[]', modifyIndex: null }]);
    await until('it is sent', () => isUnderWay);
    const { beat } = value();
    await until('others follow', () => value().beat > beat + 2);
    expect(value().phase).toBe('promoting');
    expect(w.consul.store.get(history)).toBeNull();
  });

  it('says running again where a beat that was sent meanwhile said what was before', async () => {
    const { w, hold, value } = await held();
    const { history } = w.parts.keys;
    hold.promoting();
    await until('promoting is told', () => value().phase === 'promoting');
    const phases: string[] = [];
    w.fate = ({ operations }) => {
      const written = operations.flatMap((one) =>
        one.key === w.parts.keys.master && 'value' in one ? [one.value] : [],
      );
      phases.push(...written.map((text) => (JSON.parse(text) as MasterValue).phase));
      return { toServerMs: 0, toClientMs: 0 };
    };
    const run = hold.run([{ key: history, value: '[]', modifyIndex: null }]);
    const other = hold.write([]);
    expect(await Promise.all([run, other])).toMatchObject([{ done: true }, { done: true }]);
    await until('it is said again', () => value().phase === 'running');
    expect(phases.slice(0, 3)).toEqual(['running', 'promoting', 'running']);
  });

  it('goes back to what it was when running was refused', async () => {
    const { w, hold, value } = await held();
    hold.promoting();
    w.set(w.parts.keys.history, 'another');
    const result = await hold.run([{ key: w.parts.keys.history, value: '[]', modifyIndex: null }]);
    expect(result).toMatchObject({ done: false, why: 'changed' });
    expect(hold.view.phase).toBe('promoting');
    const { beat } = value();
    await until('it beats on', () => value().beat > beat);
    expect(value().phase).toBe('promoting');
    expect(hold.view.lost).toBe(false);
  });
});

describe('the key as its holder sees it', () => {
  const seen = ({ parts: { consul } }: World) => (consul.master.known ? consul.master.value.entry : null);

  it('is told by the beats', async () => {
    const { w, hold, value } = await held();
    await hold.run([]);
    const { beat } = value();
    await until('a later beat is seen', () => (seen(w)?.value?.beat ?? 0) > beat);
    expect(seen(w)).toMatchObject({ session: hold.session.id, value: { node: 'b', phase: 'running' } });
  });

  it('is watched until it runs, and whenever its beats are not answered, or the hold is lost', async () => {
    const { w, hold } = await held();
    expect(hold.isToldByBeats).toBe(false);
    await hold.run([]);
    expect(hold.isToldByBeats).toBe(true);
    w.fate = () => ({ toServerMs: null, toClientMs: null });
    await until('it is watched', () => !hold.isToldByBeats);
    w.fate = () => ({ toServerMs: 0, toClientMs: 0 });
    await until('it is told again', () => hold.isToldByBeats);
    w.consul.endSession(hold.session.id);
    await until('it is watched again', () => !hold.isToldByBeats);
    expect(hold.view.lost).toBe(true);
  });

  it('is watched while it drains: its end is in sight', async () => {
    const { hold } = await held();
    await hold.run([]);
    const drained = hold.drain({ id: '1', successor: 'c' });
    expect(hold.isToldByBeats).toBe(false);
    await drained;
    expect(hold.isToldByBeats).toBe(false);
  });
});

describe('the end of a hold', () => {
  it('leaves a last value on the free key, of one that ran as draining', async () => {
    const { w, hold, value } = await held();
    await hold.run([]);
    const lsn = parseLsn('0/8000000');
    expect(await hold.release({ released: true, successor: 'c', lsn, lsnExact: true })).toBe('released');
    expect(w.consul.store.get(w.parts.keys.master)?.session).toBeNull();
    expect(value()).toMatchObject({
      phase: 'draining',
      released: true,
      successor: 'c',
      lsn: '0/8000000',
      lsnExact: true,
      last,
    });
  });

  it('of one that never ran keeps the phase, so that the last Master stays the last', async () => {
    const { hold, value } = await held();
    await hold.release({ released: false, successor: null, lsn: null, lsnExact: false });
    expect(value()).toMatchObject({ phase: 'waiting', released: false, last, lsn: '0/5000000' });
  });

  it('ends the right at once, and when it is refused the lock counts as lost', async () => {
    const { w, hold } = await held();
    w.consul.endSession(hold.session.id);
    expect(await hold.release({ released: true, successor: null, lsn: null, lsnExact: false })).toBe('refused');
    expect(hold.view.lost).toBe(true);
    expect(hold.view.endsAt).toBeLessThanOrEqual(monotonicNow());
  });

  it('comes by a loss: Consul says so to a beat', async () => {
    const { w, hold } = await held();
    w.consul.endSession(hold.session.id);
    await until('it is known', () => hold.view.lost);
    expect(w.pokes).toBeGreaterThan(0);
  });

  it('comes by time where nobody may free it: it beats no more', async () => {
    const { hold, value } = await held();
    hold.abandon();
    const { beat } = value();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(value().beat).toBeLessThanOrEqual(beat + 1);
    expect(hold.view.lost).toBe(false);
  });
});

describe('the lease of a hold', () => {
  it('grows with each beat that is answered, and tells so', async () => {
    const { w, hold } = await held();
    const { endsAt } = hold.view;
    const { pokes } = w;
    await until('it has grown', () => hold.view.endsAt > endsAt);
    expect(w.pokes).toBeGreaterThan(pokes);
  });

  it('stands still without answers, and failsafe extends it, but not a lost one', async () => {
    const { w, hold } = await held();
    w.fate = () => ({ toServerMs: null, toClientMs: null });
    await until('a beat is unanswered', () => hold.view.unansweredSince !== null);
    const { endsAt } = hold.view;
    expect(hold.extendTo(endsAt + 500)).toBe(true);
    expect(hold.view.endsAt).toBe(endsAt + 500);
    w.consul.endSession(hold.session.id);
    w.fate = () => ({ toServerMs: 0, toClientMs: 0 });
    await until('it is lost', () => hold.view.lost);
    expect(hold.extendTo(endsAt + 1000)).toBe(false);
  });
});

it('a hold is known by the answer to its acquire, and after a restart by that to a beat', async () => {
  const before = monotonicNow();
  const { w, hold } = await held({ acquiredAt: before });
  expect(hold.view).toMatchObject({ acquiredAt: before });
  const { provenAt } = hold.view;
  expect(provenAt).toBeGreaterThanOrEqual(before);
  hold.stop();
  const adopted = adoptHold(hold.stored, holdOptions(w.parts));
  stops.push(() => adopted.stop());
  const again = monotonicNow();
  await adopted.resume();
  expect(adopted.view.acquiredAt).toBe(before);
  expect(adopted.view.provenAt).toBeGreaterThanOrEqual(again);
});

describe('what a next process needs of a hold', () => {
  it('has the boot and all facts, with no time to wait as null', async () => {
    const { hold } = await held({ waitUntil: Number.NEGATIVE_INFINITY });
    expect(hold.stored).toEqual({
      bootId: bootId(),
      term: 6,
      session: hold.session.id,
      acquiredIndex: hold.view.acquiredIndex,
      phase: 'waiting',
      acquiredAt: 1000,
      waitUntil: null,
      predecessor: { node: 'a', term: 5 },
      last,
      parentTerm: 5,
    });
  });

  it('brings it back as it was', async () => {
    const { w, hold } = await held();
    await hold.run([]);
    hold.stop();
    const adopted = adoptHold(hold.stored, holdOptions(w.parts));
    stops.push(() => adopted.stop());
    expect(adopted.view).toMatchObject({ term: 6, phase: 'running', waitUntil: 4300, last });
    expect(adopted.view.endsAt).toBe(Number.NEGATIVE_INFINITY);
    expect(await adopted.resume()).toBe('held');
    expect(adopted.view.endsAt).toBeGreaterThan(monotonicNow());
  });

  it('never gives a beat the number of an earlier one', async () => {
    const { w, hold, value } = await held();
    hold.stop();
    const { beat } = value();
    const adopted = adoptHold(hold.stored, holdOptions(w.parts));
    stops.push(() => adopted.stop());
    await adopted.resume();
    expect(value().beat).toBeGreaterThan(beat);
  });
});
