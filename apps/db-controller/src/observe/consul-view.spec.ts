import { clusterKeys } from '@ha-postgres/cluster-state';
import type { ConsulClient, KvEntry, KvRead } from '@ha-postgres/consul-election';
import { monotonicNow } from '@ha-postgres/service-kit';
import { until } from '../../test/fixture/clock';
import { masterValue, address } from '../../test/fixture/values';
import { LogLines, endWorlds, world } from '../../test/fixture/world';
import { thisMachine } from '../machine';
import { ConsulView } from './consul-view';

const keys = clusterKeys('service/postgres');
const members = (...nodes: string[]) => JSON.stringify({ members: nodes.map(address) });

function entry(key: string, value: string, modifyIndex: number, session: string | null = 's'): KvEntry {
  return { key, value, modifyIndex, createIndex: 1, lockIndex: 1, session, flags: 0 };
}
const master = (modifyIndex: number, change = {}, session: string | null = 's') =>
  entry(keys.master, JSON.stringify(masterValue(change)), modifyIndex, session);

/** A view whose reads are answered by hand, in any order. */
function byHand() {
  const log = new LogLines();
  const waiting: { sentAt: number; resolve: (read: KvRead) => void }[] = [];
  const client = {
    paths: () => ['agent'],
    kvGet: () => new Promise<KvRead>((resolve) => waiting.push({ sentAt: monotonicNow(), resolve })),
  };
  const view = new ConsulView(
    client as unknown as ConsulClient,
    keys,
    'b',
    log.log,
    () => undefined,
    500,
    thisMachine(),
  );
  const done: Promise<void>[] = [];
  const ask = () => {
    done.push(view.confirmMaster(1000));
    const asked = waiting.pop();
    if (asked === undefined) throw new Error('nothing was asked');
    return async (answer: KvEntry | null) => {
      const index = answer?.modifyIndex ?? 0;
      const { sentAt } = asked;
      asked.resolve({ entry: answer, index, sentAt, receivedAt: monotonicNow(), knownLeader: true, lastContactMs: 0 });
      await new Promise((resolve) => setImmediate(resolve));
      return { sentAt };
    };
  };
  const sight = () => (view.master.known ? view.master.value.entry : null);
  return { view, log, ask, sight };
}

afterEach(endWorlds);

describe('the master key as seen', () => {
  it('is unknown, with the reason, until Consul has answered', () => {
    expect(byHand().view.master).toEqual({ known: false, why: 'Consul has not answered yet' });
  });

  it('counts the time of a value from when the first answer with it came, and keeps it', async () => {
    const { ask, sight } = byHand();
    const { sentAt } = await ask()(master(10));
    const first = sight()?.firstSeenAt ?? 0;
    expect(first).toBeGreaterThanOrEqual(sentAt);
    const second = await ask()(master(10));
    expect(sight()).toMatchObject({ firstSeenAt: first, confirmedSentAt: second.sentAt });
    await ask()(master(11, { beat: 2 }));
    expect(sight()?.firstSeenAt).toBeGreaterThan(first);
  });

  it('tells when it was asked for last, also after a later question has been answered first', async () => {
    const { view, ask } = byHand();
    const early = ask();
    const { sentAt } = await ask()(master(10));
    expect(view.masterAskedAt).toBe(sentAt);
    await early(master(11, { beat: 2 }));
    expect(view.masterAskedAt).toBe(sentAt);
  });

  it('takes a first look for no beat, and only a change for one', async () => {
    const { view, ask } = byHand();
    await ask()(master(10));
    expect(view.masterSeenRunningAt).toBeNull();
    await ask()(master(10));
    expect(view.masterSeenRunningAt).toBeNull();
    await ask()(master(11, { beat: 2 }));
    expect(view.masterSeenRunningAt).not.toBeNull();
  });

  it.each([
    ['of this node itself', { node: 'b' }, 's'],
    ['of one that does not run', { phase: 'waiting' as const }, 's'],
    ['on a key that nobody holds', {}, null],
  ])('takes a change %s for no beat of a Master', async (_, change, session) => {
    const { view, ask } = byHand();
    await ask()(master(10, { beat: 1, ...change }));
    await ask()(master(11, { beat: 2, ...change }, session));
    expect(view.masterSeenRunningAt).toBeNull();
  });

  it('is not taken back by an answer that was overtaken', async () => {
    const { ask, sight } = byHand();
    const slow = ask();
    await ask()(master(11, { beat: 2 }));
    const before = sight();
    await slow(master(10));
    expect(sight()).toEqual(before);
  });

  it('is not gone because a read from before it was made comes late', async () => {
    const { ask, sight } = byHand();
    const slow = ask();
    await ask()(master(11));
    await slow(null);
    expect(sight()?.modifyIndex).toBe(11);
  });

  it('is taken from an answer that was asked for earlier but shows more', async () => {
    const { ask, sight } = byHand();
    const slow = ask();
    await ask()(master(10));
    const { sentAt } = await slow(master(11, { beat: 2 }));
    expect(sight()).toMatchObject({ modifyIndex: 11, confirmedSentAt: sentAt });
  });

  it('goes back when a read that was sent after the last answer shows less: Consul has lost its memory', async () => {
    const { ask, sight } = byHand();
    await ask()(master(11, { beat: 2 }));
    await ask()(master(10));
    expect(sight()?.modifyIndex).toBe(10);
    await ask()(null);
    expect(sight()).toBeNull();
  });

  it('is confirmed only by the sending time of a read, however late its answer comes', async () => {
    const { ask, sight } = byHand();
    await ask()(master(10));
    const slow = ask();
    const later = await ask()(master(10));
    await slow(master(10));
    expect(sight()?.confirmedSentAt).toBe(later.sentAt);
  });

  it('has been answered for when any answer came, also an overtaken one', async () => {
    const { view, ask } = byHand();
    expect(view.consistentAnswerAt).toBeNull();
    const slow = ask();
    await ask()(master(11));
    const before = view.consistentAnswerAt ?? Infinity;
    await slow(master(10));
    expect(view.consistentAnswerAt).toBeGreaterThan(before);
  });

  it('counts an unreadable value as absent, keeps the key itself, and says so once for each change', async () => {
    const { ask, sight, log } = byHand();
    for (const index of [10, 10, 10, 11]) await ask()(entry(keys.master, '{"term":"x"}', index));
    expect(sight()).toMatchObject({ value: null, modifyIndex: 11, session: 's' });
    expect(log.of('consul.unreadable')).toHaveLength(2);
    expect(log.of('consul.unreadable')[0]).toMatchObject({ key: keys.master, level: 'warn' });
  });
});

describe('the list of members as seen', () => {
  it('is not taken back by an answer that was overtaken by a newer list: failsafe asks everybody on it', () => {
    const { view } = byHand();
    view.sawMembers(entry(keys.members, members('a', 'b', 'c'), 20), { sentAt: 100, receivedAt: 101 });
    view.sawMembers(entry(keys.members, members('a', 'b'), 12), { sentAt: 99, receivedAt: 102 });
    expect(view.members).toMatchObject({ value: { modifyIndex: 20, members: [{}, {}, {}] } });
    view.sawMembers(null, { sentAt: 99, receivedAt: 103 });
    expect(view.members).toMatchObject({ value: { modifyIndex: 20 } });
  });

  it('goes back with Consul', () => {
    const { view } = byHand();
    view.sawMembers(entry(keys.members, members('a', 'b', 'c'), 20), { sentAt: 100, receivedAt: 101 });
    view.sawMembers(entry(keys.members, members('a'), 12), { sentAt: 102, receivedAt: 103 });
    expect(view.members).toMatchObject({ value: { modifyIndex: 12, members: [{ node: 'a' }] } });
  });

  it('and the history: unreadable ones are empty', () => {
    const { view, log } = byHand();
    view.sawMembers(entry(keys.members, 'no JSON', 20), { sentAt: 1, receivedAt: 2 });
    view.sawHistory(entry(keys.history, '{"promotions":7}', 21), { sentAt: 1, receivedAt: 2 });
    expect(view.members).toMatchObject({ known: true, value: { members: [], modifyIndex: 20 } });
    expect(view.history).toMatchObject({ known: true, value: { promotions: [] } });
    expect(view.historyIndex).toBe(21);
    expect(log.of('consul.unreadable')).toHaveLength(2);
  });

  it('and the history stay what they were while garbage stands in their place, at its index', () => {
    const { view } = byHand();
    view.sawMembers(entry(keys.members, members('a', 'b'), 20), { sentAt: 1, receivedAt: 2 });
    view.sawMembers(entry(keys.members, 'garbage', 22), { sentAt: 3, receivedAt: 4 });
    expect(view.members).toMatchObject({
      value: { members: [{ node: 'a' }, { node: 'b' }], modifyIndex: 22, unreadable: true },
    });
    const promotions = [
      { term: 1, parentTerm: 0, timeline: 1, forkLsn: '0/0', node: 'a', from: null, why: '', at: '', tookMs: 1 },
    ];
    view.sawHistory(entry(keys.history, JSON.stringify({ promotions }), 21), { sentAt: 1, receivedAt: 2 });
    view.sawHistory(entry(keys.history, 'garbage', 23), { sentAt: 3, receivedAt: 4 });
    expect(view.history).toMatchObject({ value: { promotions } });
    expect(view.historyIndex).toBe(23);
    view.sawHistory(null, { sentAt: 5, receivedAt: 6 });
    expect(view.history).toMatchObject({ value: { promotions: [] } });
  });

  it('of a history: an overtaken one does not hide a newer promotion', () => {
    const { view } = byHand();
    view.sawHistory(entry(keys.history, '{"promotions":[]}', 30), { sentAt: 100, receivedAt: 101 });
    view.sawHistory(null, { sentAt: 99, receivedAt: 102 });
    expect(view.historyIndex).toBe(30);
  });

  it.each(['history', 'sync'] as const)(
    'of %s: a read that began after the watch asked, and ended after its answer, does not hide what that showed',
    (key) => {
      const { view } = byHand();
      const saw = (modifyIndex: number, times: { readonly sentAt: number; readonly receivedAt: number }) =>
        key === 'history'
          ? view.sawHistory(entry(keys.history, '{"promotions":[]}', modifyIndex), times)
          : view.sawSync(entry(keys.sync, 'garbage', modifyIndex), times);
      const index = () => (key === 'history' ? view.historyIndex : view.syncIndex);
      saw(30, { sentAt: 100, receivedAt: 200 });
      saw(20, { sentAt: 150, receivedAt: 300 });
      expect(index()).toBe(30);
      // Sent when that was known: Consul's memory went back.
      saw(20, { sentAt: 201, receivedAt: 301 });
      expect(index()).toBe(20);
    },
  );
});

describe('a view that watches', () => {
  it('hears of every key, and of each beat', async () => {
    const made = world();
    const { parts } = made;
    const session = made.otherSession();
    parts.consul.start();
    await until('all four have been answered', () =>
      [parts.consul.master, parts.consul.members, parts.consul.initialize, parts.consul.history].every(
        ({ known }) => known,
      ),
    );
    expect(parts.consul.master).toMatchObject({ value: { entry: null } });
    for (const beat of [1, 2]) {
      made.write({ verb: 'lock', key: parts.keys.master, value: JSON.stringify(masterValue({ beat })), session });
      await until(`beat ${beat} was seen`, () => {
        const { master: seen } = parts.consul;
        return seen.known && seen.value.entry?.value?.beat === beat;
      });
    }
    expect(parts.consul.masterSeenRunningAt).not.toBeNull();
    expect(made.pokes).toBeGreaterThanOrEqual(6);
  });

  it('asks for the master key no more while it is told otherwise, and at once when it is not', async () => {
    const made = world();
    const { parts } = made;
    const hears = (beat: number) => {
      made.set(parts.keys.master, masterValue({ beat }));
      return until(`beat ${beat} was seen`, () => {
        const { master: seen } = parts.consul;
        return seen.known && seen.value.entry?.value?.beat === beat;
      });
    };
    parts.consul.start();
    await hears(1);
    parts.consul.watchMaster(false);
    made.set(parts.keys.master, masterValue({ beat: 2 }));
    made.set(parts.keys.epoch, { number: 3, from: 'a', by: 'me' });
    await until(
      'what was written later is seen',
      () => parts.consul.epoch.known && parts.consul.epoch.value.number === 3,
    );
    expect(parts.consul.master).toMatchObject({ value: { entry: { value: { beat: 1 } } } });
    parts.consul.watchMaster(true);
    await hears(3);
  });

  it('does not begin to watch because of a hold, nor go on after its end', () => {
    const { parts } = world();
    const asked = jest.spyOn(parts.client, 'kvGet');
    parts.consul.watchMaster(true);
    parts.consul.start();
    parts.consul.stop();
    const before = asked.mock.calls.length;
    parts.consul.watchMaster(true);
    expect(asked.mock.calls.length).toBe(before);
  });

  it('hears of an epoch; one that cannot be read is none', async () => {
    const made = world();
    const { parts } = made;
    made.set(parts.keys.epoch, { number: 3, from: 'a', by: 'me' });
    parts.consul.start();
    await until('the epoch is seen', () => parts.consul.epoch.known);
    expect(parts.consul.epoch).toMatchObject({ value: { number: 3 } });
  });

  it('forgets what it saw of the master key in an older epoch, until it is answered again', async () => {
    const made = world();
    const { parts } = made;
    made.set(parts.keys.master, masterValue());
    await made.look();
    parts.consul.forgetMaster();
    expect(parts.consul.master.known).toBe(false);
    await made.look();
    expect(parts.consul.master).toMatchObject({ value: { entry: { value: { node: masterValue().node } } } });
  });

  it('hears of a pause, and of its end', async () => {
    const made = world();
    const { parts } = made;
    made.set(parts.keys.pause, { id: '1', by: 'me', why: 'maintenance' });
    parts.consul.start();
    await until('it is paused', () => parts.consul.paused);
    made.write({ verb: 'delete', key: parts.keys.pause });
    await until('it is not paused', () => !parts.consul.paused);
  });

  it('believes no server that goes through its log still, whichever way it asks', async () => {
    const made = world();
    const { consul, keys: of } = made.parts;
    const nodes = () => (consul.members.known ? consul.members.value.members.map(({ node }) => node) : []);
    made.past = new Map();
    made.set(of.members, members('a', 'b', 'c'));
    made.set(of.epoch, { number: 3, from: 'a', by: 'me' });
    made.set(of.pause, { id: '1', by: 'me', why: 'maintenance' });
    consul.start();
    await until('all is seen', () => consul.paused && consul.epoch.known && nodes().length > 0);
    expect(consul.epoch).toMatchObject({ value: { number: 3 } });
    await made.look();
    expect(nodes()).toEqual(['a', 'b', 'c']);
  });
});
