import { beforeEach, describe, expect, it } from '@jest/globals';
import { ConsulError } from './errors';
import { defaultLeaseTimes as times } from './lease';
import { LeaseHolder, type LeaseHolderOptions } from './lease-holder';
import { acquire } from './lock';
import { silentLog } from './log';
import { FakeConsul, VirtualClock, type FakeLink, type FakeRequest } from './testing/index';

const key = 'service/app/leader';
let clock: VirtualClock;
let consul: FakeConsul;

beforeEach(() => {
  clock = new VirtualClock();
  consul = new FakeConsul(clock);
});

/** The result of work that waits for virtual time. */
async function after<T>(work: Promise<T>, ms = 10): Promise<T> {
  await clock.advance(ms);
  return work;
}

async function hold(link: FakeLink = {}, more: Partial<LeaseHolderOptions> = {}) {
  const direct = consul.client();
  const session = await after(direct.sessionCreate({ name: 't', ttlMs: 1e6, lockDelayMs: 0, behavior: 'release' }));
  const won = await after(
    acquire(direct, { key, session, value: 'acquired', decidedOn: null, unchanged: [], takeOver: false }),
  );
  if (!won.done) throw new Error('not acquired');
  const value = (beat: number): string => `beat ${beat}`;
  const holder = new LeaseHolder({
    client: consul.client(link),
    key,
    session,
    times,
    clock,
    log: silentLog,
    value,
    ...more,
  });
  holder.start(won);
  return { holder, session, won };
}

const isBeat = ({ operations }: FakeRequest): boolean =>
  operations[0]?.verb === 'check-session' && operations[1]?.verb === 'lock';
const SOON = { toServerMs: 1, toClientMs: 1 };
const NEVER = { toServerMs: null, toClientMs: null };

describe('a lease holder', () => {
  it('beats at its interval without waiting for the last answer', async () => {
    const sent: number[] = [];
    await hold({
      fate: (request) => (isBeat(request) && sent.push(clock.now()), { toServerMs: 1200, toClientMs: 1200 }),
    });
    await clock.advance(2600);
    const [first = 0] = sent;
    expect(sent.map((at) => at - first)).toEqual([0, 500, 1000, 1500, 2000]);
  });

  it('counts each success from its sending, also when answers come out of order', async () => {
    let beats = 0;
    const sentAt: number[] = [];
    const { holder } = await hold({
      fate: (request) => {
        if (!isBeat(request)) return SOON;
        sentAt.push(clock.now());
        beats += 1;
        return beats === 1 ? { toServerMs: 1, toClientMs: 2000 } : beats === 2 ? SOON : NEVER;
      },
    });
    await clock.advance(1200);
    expect(holder.endsAt).toBe((sentAt[1] ?? 0) + times.leaseDurationMs);
    await clock.advance(1500);
    expect(holder.endsAt).toBe((sentAt[1] ?? 0) + times.leaseDurationMs);
    expect(holder.lastAnsweredSentAt).toBe(sentAt[1]);
  });

  it('tells each beat that was written: the key as it was then', async () => {
    const written: string[] = [];
    const { session } = await hold(
      {},
      {
        onWritten: (entry, { sentAt, receivedAt }) => {
          expect(entry).toEqual(consul.store.get(key));
          expect(entry.session).toBe(session);
          expect(receivedAt).toBeGreaterThanOrEqual(sentAt);
          written.push(entry.value);
        },
      },
    );
    await clock.advance(1100);
    expect(written).toEqual(['beat 1', 'beat 2']);
    consul.endSession(session);
    await clock.advance(1000);
    expect(written).toHaveLength(2);
  });

  it('asks the servers when the agent is silent, each with a value of its own, and tells since when', async () => {
    const silences: number[] = [];
    const values: string[] = [];
    const fate = (request: FakeRequest) => {
      if (isBeat(request) && request.operations[1]?.verb === 'lock')
        values.push(`${request.via} ${request.operations[1].value}`);
      return request.via === 'agent' ? NEVER : { toServerMs: 100, toClientMs: 100 };
    };
    const { holder, won } = await hold({ fate, servers: ['s1', 's2'] }, { onUnanswered: (ms) => silences.push(ms) });
    await clock.advance(1950);
    expect(values.slice(0, 3)).toEqual(['agent beat 1', 's1 beat 2', 's2 beat 3']);
    expect(new Set(values.map((one) => one.split(' ')[2])).size).toBe(values.length);
    expect(silences).toEqual([300]);
    expect(holder.endsAt).toBeGreaterThan(won.sentAt + times.leaseDurationMs + 900);
    expect(holder.unansweredSince).toBeNull();
  });

  it('asks the servers at once when the agent refuses, or was silent the last time', async () => {
    const vias: string[] = [];
    const fate = (request: FakeRequest) => {
      if (isBeat(request)) vias.push(`${request.via} ${clock.now()}`);
      return request.via === 'agent' ? NEVER : SOON;
    };
    const { won } = await hold({ fate, servers: ['s1'] });
    await clock.advance(1100);
    const at = (ms: number): number => won.sentAt + ms;
    expect(vias).toEqual([`agent ${at(500)}`, `s1 ${at(800)}`, `agent ${at(1000)}`, `s1 ${at(1000)}`]);
  });

  it('does not take errors for a loss: the lease ends by its own clock', async () => {
    const lost: string[] = [];
    const { holder, won } = await hold({ fate: () => NEVER }, { onLost: (why) => lost.push(why), beatTimeoutMs: 400 });
    await clock.advance(20_000);
    expect(holder.lost).toBe(false);
    expect(lost).toEqual([]);
    expect(holder.endsAt).toBe(won.sentAt + times.leaseDurationMs);
    expect(holder.unansweredSince).toBe(won.sentAt + times.heartbeatIntervalMs);
  });

  it('says aloud that a request was refused as such: a silent one would be tried again until the lease is over', async () => {
    const warnings: object[] = [];
    const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
    const client = consul.client();
    const tooLong = new ConsulError('PUT /v1/txn', 413, 'Request body is too large');
    const { holder } = await hold({}, { client: { ...client, transaction: () => Promise.reject(tooLong) }, log });
    const result = await after(holder.beatNow([{ key: 'history', value: '{}', modifyIndex: null }]));
    expect(result).toMatchObject({ done: false, why: 'unanswered' });
    expect(warnings).toContainEqual(expect.objectContaining({ event: 'lease.beat-not-taken', why: tooLong.message }));
  });

  it('has lost the hold for good once Consul said so, and beats no more', async () => {
    const lost: string[] = [];
    let beats = 0;
    const { holder, session } = await hold(
      { fate: (request) => (isBeat(request) && (beats += 1), SOON) },
      { onLost: (why) => lost.push(why) },
    );
    await clock.advance(700);
    consul.endSession(session);
    await clock.advance(1000);
    const before = { beats, endsAt: holder.endsAt };
    await clock.advance(5000);
    expect(lost).toHaveLength(1);
    expect(lost[0]).toContain('failed session check');
    expect({ beats, endsAt: holder.endsAt }).toEqual(before);
    expect(holder.extendTo(clock.now() + 9000)).toBe(false);
    expect(await after(holder.beatNow())).toMatchObject({ why: 'unanswered' });
  });

  it('is extended by promises only while the lease lasts', async () => {
    const ends: number[] = [];
    const { holder, won } = await hold({ fate: () => NEVER }, { onExtended: (endsAt) => ends.push(endsAt) });
    await clock.advance(2000);
    expect(holder.extendTo(won.sentAt + 5000)).toBe(true);
    expect(holder.extendTo(won.sentAt + 4000)).toBe(true);
    expect(holder.endsAt).toBe(won.sentAt + 5000);
    expect(ends).toEqual([won.sentAt + 3000, won.sentAt + 5000]);
    await clock.advance(3000);
    expect(holder.extendTo(won.sentAt + 9000)).toBe(false);
    expect(holder.endsAt).toBe(won.sentAt + 5000);
  });

  it('does not extend by a beat whose value was not new, which others did not see', async () => {
    const { holder, won } = await hold({}, { value: () => 'always the same' });
    await clock.advance(5000);
    expect(holder.endsAt).toBe(won.sentAt + 500 + times.leaseDurationMs);
  });

  it('writes the newest value again when an older beat was committed after it', async () => {
    let beats = 0;
    const { holder } = await hold({
      fate: (request) =>
        isBeat(request) && (beats += 1) === 1 ? { toServerMs: 900, toClientMs: 0 } : { toServerMs: 0, toClientMs: 0 },
    });
    await clock.advance(980);
    expect(beats).toBe(1);
    await clock.advance(415);
    expect(consul.store.get(key)?.value).toBe('beat 3');
    expect(holder.modifyIndex).toBe(consul.store.get(key)?.modifyIndex);
  });

  it('writes other keys in one transaction with a beat beside the regular ones', async () => {
    const members = `${key}-members`;
    const { holder } = await hold();
    const also = [{ key: members, value: 'm', modifyIndex: null }];
    const result = await after(holder.beatNow(also), 100);
    expect(result.done && result.entries.map((entry) => entry.key)).toEqual([key, members]);
    expect(await after(holder.beatNow(also), 100)).toMatchObject({ done: false, why: 'changed' });
  });

  it('drops the oldest of too many beats that hang', async () => {
    const aborted: string[] = [];
    const link: FakeLink = { fate: () => NEVER };
    const client = consul.client(link);
    const transaction: typeof client.transaction = (operations, options = {}) => {
      options.signal?.addEventListener('abort', () =>
        aborted.push(operations[1]?.verb === 'lock' ? operations[1].value : ''),
      );
      return client.transaction(operations, options);
    };
    await hold(link, { client: { ...client, transaction } });
    await clock.advance(5100);
    expect(aborted).toEqual(['beat 1', 'beat 2']);
  });

  it('ends the right when a release is sent, and nothing under way brings it back', async () => {
    let slow = false;
    const { holder } = await hold({
      fate: (request) => (isBeat(request) && slow ? { toServerMs: 0, toClientMs: 300 } : SOON),
    });
    await clock.advance(600);
    slow = true;
    void holder.beatNow();
    await clock.advance(1);
    const releasedAt = clock.now();
    expect(await after(holder.release('done'), 100)).toBe('released');
    await clock.advance(1000);
    expect(holder.endsAt).toBe(releasedAt);
    expect(consul.store.get(key)).toMatchObject({ value: 'done', session: null });
  });

  it('says refused of a release when another has the key', async () => {
    const { holder, session } = await hold();
    consul.endSession(session);
    const other = await after(
      consul.client().sessionCreate({ name: 'o', ttlMs: 1e6, lockDelayMs: 0, behavior: 'release' }),
    );
    await after(consul.client().transaction([{ verb: 'lock', key, value: 'other', session: other }]));
    expect(await after(holder.release('done'), 100)).toBe('refused');
    expect(consul.store.get(key)?.value).toBe('other');
  });

  it('says unanswered when a release gets no answer, and a resumed hold makes the late one fail', async () => {
    let late = true;
    const { holder } = await hold({
      fate: (request) =>
        late && request.kind === 'transaction' && !isBeat(request) ? { toServerMs: 3000, toClientMs: 0 } : SOON,
    });
    const releasing = holder.release('released', { timeoutMs: 600 });
    expect(await after(releasing, 700)).toBe('unanswered');
    late = false;
    expect(await after(holder.resume(), 100)).toBe('held');
    await clock.advance(5000);
    expect(consul.store.get(key)?.value).toMatch(/^beat/);
    expect(holder.lost).toBe(false);
    expect(holder.endsAt).toBeGreaterThan(clock.now());
  });

  it('does not resume without an answer, and takes none that comes later', async () => {
    const { holder } = await hold({
      fate: (request) => (isBeat(request) ? { toServerMs: 0, toClientMs: 4000 } : SOON),
    });
    holder.stop();
    expect(await after(holder.resume({ timeoutMs: 900 }), 1000)).toBe('unanswered');
    const { endsAt } = holder;
    await clock.advance(6000);
    expect(holder.endsAt).toBe(endsAt);
  });

  it('refuses to begin twice', async () => {
    const { holder, won } = await hold();
    expect(() => holder.start(won)).toThrow(key);
  });
});
