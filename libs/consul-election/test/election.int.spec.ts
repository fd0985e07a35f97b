import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ConsulClient,
  ConsulError,
  LeaseHolder,
  NoAnswerError,
  Session,
  acquire,
  defaultLeaseTimes,
  leaseRanOut,
  opLock,
  sight,
  silentLog,
  waitsUntil,
  watchKey,
  watchService,
  type KvEntry,
  type LeaseHolderOptions,
  type LeaseTimes,
  systemClock,
} from '../src/index';
import { consulContract } from './consul-contract';
import { ConsulServer, eventually } from './consul-server';
import { SlowProxy, gate, isAcquire, isBeat, isRelease } from './slow-proxy';

/** Quick, so that a test need not wait long for a lease to run out. */
const times: LeaseTimes = { leaseDurationMs: 600, driftMarginMs: 60, fenceTimeMs: 140, heartbeatIntervalMs: 100 };

let consul: ConsulServer;
let proxy: SlowProxy;
let key = '';
let keys = 0;
const ends: (() => unknown)[] = [];

const clientAt = (address: string, serverAddresses: readonly string[] = []): ConsulClient => {
  const client = new ConsulClient({ address, serverAddresses, requestTimeoutMs: 7500 }, { log: silentLog });
  ends.push(() => client.close());
  return client;
};
const sessionOf = async (client: ConsulClient): Promise<Session> => {
  const session = await Session.create({ client, name: 'test', log: silentLog });
  ends.push(() => session.destroy());
  return session;
};
const entryNow = async (client: ConsulClient): Promise<KvEntry | null> =>
  (await client.kvGet(key, { consistency: 'consistent' })).entry;

/** Acquires the key and begins to beat. */
async function hold(client: ConsulClient, name: string, more: Partial<LeaseHolderOptions> = {}, beating = true) {
  const session = await sessionOf(client);
  const decidedOn = await entryNow(client);
  const won = await acquire(client, {
    key,
    session: session.id,
    value: `${name} acquired`,
    decidedOn,
    unchanged: [],
    takeOver: false,
  });
  if (!won.done) throw new Error(`${name} could not acquire: ${JSON.stringify(won)}`);
  const value = (beat: number): string => `${name} ${beat}`;
  // Without beats of its own, a test sends each by itself.
  const rhythm = beating ? times : { ...times, leaseDurationMs: 60_000, heartbeatIntervalMs: 30_000 };
  const holder = new LeaseHolder({ client, key, session: session.id, times: rhythm, log: silentLog, value, ...more });
  holder.start(won);
  ends.push(() => holder.stop());
  return { holder, session, won };
}

beforeAll(async () => {
  consul = await ConsulServer.start(['http_port:18500']);
});
afterAll(() => consul.end());
beforeEach(async () => {
  proxy = await SlowProxy.start(consul.address);
  keys += 1;
  key = `service/test-${keys}/leader`;
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await proxy.end();
});

consulContract('Consul', { client: () => clientAt(consul.address), run: (work) => work });

describe('a lease on real Consul', () => {
  it('is extended by every beat, seen by others, and released with a last value', async () => {
    const client = clientAt(consul.address);
    const { holder, won } = await hold(client, 'a');
    await eventually(
      'three beats',
      () => holder.endsAt > won.sentAt + times.leaseDurationMs + 3 * times.heartbeatIntervalMs,
    );
    expect((await entryNow(client))?.value).toMatch(/^a [0-9]+$/);
    expect(await holder.release('done')).toBe('released');
    expect(await entryNow(client)).toMatchObject({ value: 'done', session: null });
    expect(holder.endsAt).toBeLessThanOrEqual(systemClock.now());
  });

  it('is lost at once when the session ends, and says so once', async () => {
    const client = clientAt(consul.address);
    const lost: string[] = [];
    const { holder, session } = await hold(client, 'a', { onLost: (why) => lost.push(why) });
    await clientAt(consul.address).sessionDestroy(session.id);
    await eventually('the loss is noticed', () => holder.lost);
    const endsAt = holder.endsAt;
    expect(holder.extendTo(endsAt + 1000)).toBe(false);
    expect(lost).toHaveLength(1);
    expect(await holder.release('late')).toBe('refused');
  });

  it('runs out for others when no beat comes, and the holder learns of the takeover', async () => {
    const slow = clientAt(proxy.address);
    const { holder } = await hold(slow, 'frozen');
    const silence = gate();
    proxy.treat = (passing) => (isBeat(passing) ? { before: silence.opened } : {});
    const other = clientAt(consul.address);
    // Beats that were under way may still land: what counts is a write that stays the last for the whole time.
    let seen = sight(null, await entryNow(other), systemClock.now());
    let read = await other.kvGet(key, { consistency: 'consistent' });
    await eventually('the lease runs out', async () => {
      read = await other.kvGet(key, { consistency: 'consistent' });
      seen = sight(seen, read.entry, systemClock.now());
      return leaseRanOut(seen, read, times);
    });
    expect(holder.endsAt).toBeLessThan(waitsUntil(seen, times));
    const session = await sessionOf(other);
    const taken = await acquire(other, {
      key,
      session: session.id,
      value: 'taken',
      decidedOn: read.entry,
      unchanged: [],
      takeOver: true,
    });
    expect(taken).toMatchObject({ done: true, lockIndex: 1 });
    const before = holder.endsAt;
    silence.open();
    await eventually('the old holder knows', () => holder.lost);
    expect(holder.endsAt).toBe(before);
    expect((await entryNow(other))?.value).toBe('taken');
  });

  it('is kept over the servers when the agent is silent, and its session too', async () => {
    const silent = clientAt(proxy.address, [consul.address]);
    const { holder, session } = await hold(silent, 'a');
    const never = gate();
    proxy.treat = () => ({ before: never.opened });
    const { endsAt } = holder;
    await eventually('beats go on', () => holder.endsAt > endsAt + 2 * times.leaseDurationMs);
    expect(holder.lost).toBe(false);
    expect(await holder.release('done')).toBe('released');
    expect(await session.destroy()).toBe(true);
    never.open();
  });

  it('is taken up again by a process that only knows the session', async () => {
    const client = clientAt(consul.address);
    const { holder, session } = await hold(client, 'a');
    await holder.beatNow();
    holder.stop();
    const value = (beat: number): string => `a ${beat}`;
    const again = new LeaseHolder({ client, key, session: session.id, times, log: silentLog, value });
    ends.push(() => again.stop());
    expect(again.endsAt).toBe(Number.NEGATIVE_INFINITY);
    expect(await again.resume()).toBe('held');
    expect(again.endsAt).toBeGreaterThan(systemClock.now());
    await client.sessionDestroy(session.id);
    const late = new LeaseHolder({ client, key, session: session.id, times, log: silentLog, value });
    expect(await late.resume()).toBe('refused');
  });

  it('writes other keys with a beat, and goes on with plain beats when they had moved', async () => {
    const client = clientAt(consul.address);
    const also = [{ key: `${key}-members`, value: '["a"]', modifyIndex: null }];
    const { holder } = await hold(client, 'a');
    expect(await holder.beatNow(also)).toMatchObject({ done: true });
    expect(await holder.beatNow(also)).toMatchObject({ done: false, why: 'changed' });
    const { endsAt } = holder;
    await eventually('the lease goes on', () => holder.endsAt > endsAt + times.leaseDurationMs);
  });

  it('releases although a late beat of its own moved the key', async () => {
    const client = clientAt(proxy.address);
    const { holder } = await hold(client, 'a', {}, false);
    proxy.treat = (passing) => (isBeat(passing) ? { after: 'lost' } : {});
    void holder.beatNow();
    await eventually('the beat is committed', () => proxy.answered.some(isBeat));
    expect(await holder.release('done')).toBe('released');
    expect(proxy.answered.filter(isRelease).map((one) => one.status)).toEqual([409, 200]);
  });
});

describe('the schedules that broke an earlier protocol', () => {
  it('a stalled acquire does not commit after another’s hold', async () => {
    const slow = clientAt(proxy.address);
    const other = clientAt(consul.address);
    const session = await sessionOf(slow);
    const stalled = gate();
    proxy.treat = (passing) => (isAcquire(passing) ? { before: stalled.opened } : {});
    const request = { key, session: session.id, value: 'stalled', decidedOn: null, unchanged: [], takeOver: false };
    await expect(acquire(slow, request, { timeoutMs: 50 })).rejects.toBeInstanceOf(NoAnswerError);
    const { holder } = await hold(other, 'other');
    expect(await holder.release('freed')).toBe('released');
    stalled.open();
    await eventually('it arrives', () => proxy.answered.some(isAcquire));
    expect(proxy.answered.filter(isAcquire).map((one) => one.status)).toEqual([409]);
    expect(await entryNow(other)).toMatchObject({ value: 'freed', session: null });
    // What the same schedule does with a plain acquire, which is why none is used.
    expect(await other.transaction([opLock(key, 'stalled', session.id)])).toMatchObject({ committed: true });
  });

  it('a stalled acquire cannot commit once its session was destroyed', async () => {
    const slow = clientAt(proxy.address, [consul.address]);
    const session = await sessionOf(slow);
    const stalled = gate();
    proxy.treat = (passing) => (isAcquire(passing) ? { before: stalled.opened } : {});
    const request = { key, session: session.id, value: 'stalled', decidedOn: null, unchanged: [], takeOver: false };
    await expect(acquire(slow, request, { timeoutMs: 50 })).rejects.toBeInstanceOf(NoAnswerError);
    expect(await session.destroy()).toBe(true);
    stalled.open();
    await eventually('it arrives', () => proxy.answered.some(isAcquire));
    expect(await entryNow(slow)).toBeNull();
  });

  it('a late beat that lands on a freed key neither takes it nor counts', async () => {
    const slow = clientAt(proxy.address);
    const { holder } = await hold(slow, 'a', {}, false);
    const late = gate();
    proxy.treat = (passing) => (isBeat(passing) ? { before: late.opened } : {});
    const stalled = holder.beatNow();
    expect(await holder.release('freed')).toBe('released');
    const { endsAt } = holder;
    late.open();
    expect(await stalled).toMatchObject({ done: false, why: 'not-held' });
    expect(holder.endsAt).toBe(endsAt);
    expect(await entryNow(clientAt(consul.address))).toMatchObject({ value: 'freed', session: null });
  });

  it('a late release after going on is refused', async () => {
    const slow = clientAt(proxy.address);
    const { holder } = await hold(slow, 'a');
    const late = gate();
    proxy.treat = (passing) => (isRelease(passing) ? { before: late.opened } : {});
    expect(await holder.release('released', { timeoutMs: 200 })).toBe('unanswered');
    expect(holder.endsAt).toBeLessThanOrEqual(systemClock.now());
    expect(holder.extendTo(systemClock.now() + 1000)).toBe(false);
    expect(await holder.resume()).toBe('held');
    late.open();
    await eventually('it arrives', () => proxy.answered.some(isRelease));
    expect(proxy.answered.filter(isRelease).every((one) => one.status === 409)).toBe(true);
    const { endsAt } = holder;
    await eventually('the hold goes on', () => holder.endsAt > endsAt);
    expect((await entryNow(slow))?.session).not.toBeNull();
  });

  it('a release that was committed unseen ends the hold: going on is refused', async () => {
    const slow = clientAt(proxy.address);
    const { holder } = await hold(slow, 'a');
    proxy.treat = (passing) => (isRelease(passing) || passing.method === 'GET' ? { after: 'lost' } : {});
    expect(await holder.release('released', { timeoutMs: 200 })).toBe('unanswered');
    expect(await holder.resume()).toBe('refused');
  });

  it('a release whose answer was lost is recognised as done', async () => {
    const slow = clientAt(proxy.address, [consul.address]);
    const { holder } = await hold(slow, 'a');
    proxy.treat = (passing) => (isRelease(passing) ? { after: 'lost' } : {});
    expect(await holder.release('released')).toBe('released');
  });

  it('a candidate that gives up while an older lease runs does not shorten the wait', async () => {
    const client = clientAt(consul.address);
    const lived = await hold(client, 'old');
    await lived.session.destroy();
    await eventually('the old holder knows', () => lived.holder.lost);
    const quick = await hold(client, 'quick', {}, false);
    expect(await quick.holder.release('gave up, not cleared')).toBe('released');
    const seen = sight(null, await entryNow(client), systemClock.now());
    expect(waitsUntil(seen, times)).toBeGreaterThan(lived.holder.endsAt);
  });
});

describe('watching real Consul', () => {
  it('reports each value once, counts every answer, and survives a restart of Consul', async () => {
    const own = await ConsulServer.start();
    const client = clientAt(own.address);
    try {
      const values: (string | null)[] = [];
      const errors: unknown[] = [];
      let answers = 0;
      const watch = watchKey(
        client,
        key,
        { log: silentLog, waitMs: 50 },
        {
          onValue: (entry) => values.push(entry?.value ?? null),
          onAnswer: () => (answers += 1),
          onError: (error) => errors.push(error),
        },
      );
      watch.start();
      await eventually('the absent key', () => values.length === 1);
      await client.kvPut(key, 'one');
      await eventually('one', () => values.includes('one'));
      const before = answers;
      await eventually('unchanged answers', () => answers > before + 2);
      await own.kill();
      await eventually('failures', () => errors.length > 2);
      await own.run();
      await client.kvPut(key, 'two');
      await eventually('two', () => values.includes('two'));
      expect(values).toEqual([null, 'one', 'two']);
      expect(watch.lastAnswerAt).not.toBeNull();
      watch.stop();
    } finally {
      await own.end();
    }
  });

  it('sees a service come, pass its check, and go', async () => {
    const client = clientAt(consul.address);
    const seen: string[] = [];
    const watch = watchService(
      client,
      'postgres',
      { log: silentLog, passing: true },
      {
        onValue: (services) =>
          seen.push(services.map((one) => `${one.id} ${one.address}:${one.port} ${one.tags.join()}`).join()),
      },
    );
    watch.start();
    const check = { id: 'p-alive', name: 'postgresAlive', ttlMs: 30_000 };
    const definition = {
      id: 'p',
      name: 'postgres',
      address: '127.0.0.9',
      port: 5432,
      tags: ['replica'],
      checks: [check],
    };
    await client.registerService(definition);
    await client.updateTtlCheck('p-alive', 'passing', 'SELECT 1 took 2 ms');
    await eventually('passing', () => seen.includes('p 127.0.0.9:5432 replica'));
    await client.registerService({ ...definition, tags: ['master'] });
    await eventually('new tag, still passing', () => seen.includes('p 127.0.0.9:5432 master'));
    const { services } = await client.serviceHealth('postgres');
    expect(services[0]?.checks).toContainEqual({ id: 'p-alive', status: 'passing', output: 'SELECT 1 took 2 ms' });
    await client.deregisterService('p');
    await eventually('gone', () => seen.at(-1) === '');
    await client.deregisterService('p');
    watch.stop();
  });
});

describe('the client on real Consul', () => {
  it('lists, puts and deletes by index', async () => {
    const client = clientAt(consul.address);
    expect(await client.kvPut(`${key}/ä b`, 'ünï')).toBe(true);
    const { entries } = await client.kvList(`${key}/`);
    expect(entries).toMatchObject([{ key: `${key}/ä b`, value: 'ünï', session: null }]);
    expect(await client.kvPut(`${key}/ä b`, 'x', { cas: 1 })).toBe(false);
    expect(await client.kvDelete(`${key}/ä b`, { cas: entries[0]?.modifyIndex ?? 0 })).toBe(true);
    expect((await client.kvList(`${key}/`)).entries).toEqual([]);
  });

  it('learns the servers from the catalog and keeps them', async () => {
    const client = clientAt(proxy.address);
    expect(await client.servers()).toEqual(['http://127.0.0.1:18500']);
    proxy.treat = () => ({ after: 'lost' });
    expect(await client.learnServers({ timeoutMs: 20 })).toBe(false);
    expect(client.paths()).toEqual(['agent', 'http://127.0.0.1:18500']);
  });

  it('knows who the agent is', async () => {
    expect(await clientAt(consul.address).agentSelf()).toMatchObject({
      nodeName: 'election-test',
      datacenter: 'dc1',
      server: true,
    });
  });

  it('tells a refusal from an unknown outcome', async () => {
    const client = clientAt(consul.address);
    const tooShort = { name: 'x', ttlMs: 1, lockDelayMs: 0, behavior: 'release' } as const;
    await expect(client.kvGet('')).rejects.toBeInstanceOf(ConsulError);
    await expect(client.sessionCreate(tooShort)).rejects.toThrow(/TTL/);
    await expect(client.updateTtlCheck('nobody', 'passing', '')).rejects.toBeInstanceOf(ConsulError);
    await expect(clientAt('http://127.0.0.1:1').transaction([opLock(key, '', '')])).rejects.toBeInstanceOf(
      NoAnswerError,
    );
    await expect(clientAt('http://127.0.0.1:1').agentSelf()).rejects.toBeInstanceOf(NoAnswerError);
    proxy.treat = () => ({ after: 'lost' });
    await expect(clientAt(proxy.address).kvPut(key, 'x', { timeoutMs: 30 })).rejects.toBeInstanceOf(NoAnswerError);
    await expect(clientAt(proxy.address).kvGet(key, { signal: AbortSignal.timeout(30) })).rejects.toThrow(
      /aborted by the caller/,
    );
  });
});

it('has default times that keep to their own rules', () => {
  expect(defaultLeaseTimes).toEqual({
    leaseDurationMs: 3000,
    driftMarginMs: 300,
    fenceTimeMs: 700,
    heartbeatIntervalMs: 500,
  });
});
