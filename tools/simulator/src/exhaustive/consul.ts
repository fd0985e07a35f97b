import {
  acquireOperations,
  heartbeatOperations,
  releaseOperations,
  type KvEntry,
  type TxnOperation,
} from '@ha-postgres/consul-election';
import { FakeStore } from '@ha-postgres/consul-election/testing';
import { SYSTEM_ID } from './values';
import type { Consul, Entry, Message, Result } from './state';

/** What Consul does: the store is the one that passes the same suite as a real Consul server. */

export const MASTER = 'master';
export const MEMBERS = 'members';
export const CLUSTER = SYSTEM_ID;

interface Inside {
  keys: Map<string, KvEntry>;
  sessions: Set<string>;
  index: number;
}

export function kvEntry(key: string, { value, index, session }: Entry): KvEntry {
  // How often a key was locked, and since when it is there, is of no meaning to anybody.
  return { key, value, modifyIndex: index, session, createIndex: 1, lockIndex: 1, flags: 0 };
}

function entryOf({ value, modifyIndex, session }: KvEntry): Entry {
  return { value, index: modifyIndex, session };
}

/** The store as it stands: a `FakeStore` with its memory put back. */
function storeOf({ master, members, sessions }: Consul, index: number): FakeStore {
  const keys = new Map([
    [MASTER, kvEntry(MASTER, master)],
    [MEMBERS, kvEntry(MEMBERS, members)],
  ]);
  return Object.assign(new FakeStore(), { keys, sessions: new Set(sessions), index } satisfies Inside);
}

function keep(consul: Consul, store: FakeStore): void {
  const [master, members] = [store.get(MASTER), store.get(MEMBERS)];
  if (master === null || members === null) throw new Error('a key is gone, which nothing in this model does');
  consul.master = entryOf(master);
  consul.members = entryOf(members);
}

/** The operations that the libraries make of a request. */
export function operationsOf(message: Message): readonly TxnOperation[] {
  const { session, value } = message;
  switch (message.kind) {
    case 'beat':
      return heartbeatOperations({ key: MASTER, session, value, alsoWrite: alsoOf(message) });
    case 'acquire':
      return acquireOperations(acquireRequest(message));
    case 'release':
      return releaseOperations({ key: MASTER, session, value, ownLastIndex: message.own });
  }
}

export function acquireRequest({
  session,
  value,
  decidedOn,
  members,
  takeOver,
}: Extract<Message, { kind: 'acquire' }>) {
  return {
    ...{ key: MASTER, session, value, takeOver },
    decidedOn: kvEntry(MASTER, { value: '', index: decidedOn, session: null }),
    unchanged: [{ key: MEMBERS, modifyIndex: members }],
  };
}

export function alsoOf({ also }: Extract<Message, { kind: 'beat' }>) {
  return also === null ? [] : [{ key: MEMBERS, value: also.list.join(','), modifyIndex: also.over }];
}

/** Consul carries out a request; its answer is under way from then on. `index` is the highest that was given out. */
export function commit(consul: Consul, message: Message, index: number): Result {
  const store = storeOf(consul, index);
  const outcome = store.apply(operationsOf(message));
  keep(consul, store);
  if (outcome.committed) return { committed: true, entries: entriesIn(outcome.entries) };
  // Which key, session and index its words name is read by nobody.
  const errors = outcome.errors.map(({ opIndex, what }) => ({
    operation: opIndex,
    what: what.replace(/\d+/g, '0').replace(/"[^"]*"/g, '""'),
  }));
  return { committed: false, errors };
}

/** Of two looks at the key in one transaction only whether the second is newer is asked for. */
function entriesIn(entries: readonly KvEntry[]): { key: string; index: number }[] {
  const last = entries.findLast(({ key }) => key === MASTER);
  return entries.flatMap((entry) => {
    const { key, modifyIndex } = entry;
    if (key !== MASTER || entry === last) return [{ key, index: modifyIndex }];
    return [{ key, index: last !== undefined && modifyIndex < last.modifyIndex ? 0 : modifyIndex }];
  });
}

/** Its TTL is over, it was destroyed, or Consul lost it: what it held is free, without a last value. */
export function endSession(consul: Consul, session: string, index: number): void {
  const store = storeOf(consul, index);
  store.endSession(session);
  keep(consul, store);
  consul.sessions = consul.sessions.filter((other) => other !== session);
}
