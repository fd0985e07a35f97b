import { acquire, beat, release, type TxnResult } from '@ha-postgres/consul-election';
import { MASTER, acquireRequest, commit, endSession } from './consul';
import { copied } from './copied';
import { initialState } from './initial';
import type { Acquire, Beat, Consul, Message, Release, Result } from './state';
import { withBeat } from './values';
import { ONE } from './testing';

const { consul: first } = initialState(ONE);
const times = { sentAt: 0, receivedAt: 0 };
const request = { session: 'a2', sentAt: 0, result: null } as const;
const ofBeat: Beat = {
  ...{ ...request, kind: 'beat', node: 'a', number: 1, also: null, why: 'beat' },
  value: withBeat(first.master.value, 1),
};
const ofAcquire: Acquire = {
  ...{ ...request, kind: 'acquire', node: 'b', session: 'b3', value: 'b', takeOver: false },
  ...{ decidedOn: 2, members: 1 },
};
const ofRelease: Release = { ...request, kind: 'release', node: 'a', value: 'end', own: 2 };

function clientThatSays(result: Result) {
  const answer: TxnResult = result.committed
    ? {
        committed: true,
        entries: result.entries.map(({ key, index }) => ({ key, modifyIndex: index }) as never),
        ...times,
      }
    : {
        committed: false,
        errors: result.errors.map(({ operation, what }) => ({ opIndex: operation, what })),
        ...times,
      };
  return { transaction: () => Promise.resolve(answer) };
}

function carriedOut(message: Message, before: (consul: Consul) => void = () => undefined) {
  const consul = copied(first);
  consul.sessions = ['a2', 'b3'];
  before(consul);
  return { consul, client: clientThatSays(commit(consul, message, 10)) };
}

test('a beat is done while the key is held, and says that it is not when the session has ended', async () => {
  const ask = { key: MASTER, session: 'a2', value: ofBeat.value };
  const held = carriedOut(ofBeat);
  expect(await beat(held.client, ask)).toMatchObject({ done: true, modifyIndex: 11 });
  expect(held.consul.master).toMatchObject({ index: 11, session: 'a2' });
  const lost = carriedOut(ofBeat, (consul) => endSession(consul, 'a2', 9));
  expect(await beat(lost.client, ask)).toMatchObject({ done: false, why: 'not-held' });
});

test('a value that is not new is no beat', async () => {
  const { client } = carriedOut({ ...ofBeat, value: first.master.value });
  expect(await beat(client, { key: MASTER, session: 'a2', value: first.master.value })).toMatchObject({
    why: 'unchanged',
  });
});

test('the lock is acquired only as it was decided: free, unwritten since, and with the same members', async () => {
  const free = (consul: Consul) => void (consul.master.session = null);
  const attempt = async (message: Acquire, before: (consul: Consul) => void) =>
    acquire(carriedOut(message, before).client, acquireRequest(message));
  expect(await attempt(ofAcquire, free)).toMatchObject({ done: true });
  expect(await attempt(ofAcquire, () => undefined)).toMatchObject({ done: false, why: 'held-by-other' });
  expect(await attempt({ ...ofAcquire, decidedOn: 1 }, free)).toMatchObject({ done: false, why: 'changed' });
  expect(await attempt({ ...ofAcquire, members: 7 }, free)).toMatchObject({ done: false, why: 'changed' });
  expect(await attempt({ ...ofAcquire, takeOver: true }, () => undefined)).toMatchObject({ done: true });
});

test('a release frees the key, unless its holder has gone on', async () => {
  const ask = { key: MASTER, session: 'a2', value: 'end', ownLastIndex: 2 };
  const done = carriedOut(ofRelease);
  expect(await release(done.client, ask)).toMatchObject({ done: true });
  expect(done.consul.master).toMatchObject({ session: null, value: 'end' });
  const late = carriedOut(ofRelease, (consul) => void (consul.master.index = 5));
  expect(await release(late.client, ask)).toMatchObject({ done: false, why: 'changed' });
});
