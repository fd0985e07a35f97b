import type { KvEntry } from './api';
import type { Millis } from './clock';

/** One operation of a transaction. All of a transaction's operations happen, at one Raft index, or none. */
export type TxnOperation =
  | { readonly verb: 'lock' | 'unlock'; readonly key: string; readonly value: string; readonly session: string }
  | { readonly verb: 'check-session'; readonly key: string; readonly session: string }
  | { readonly verb: 'check-index' | 'delete-cas'; readonly key: string; readonly index: number }
  | { readonly verb: 'check-not-exists' | 'get' | 'delete'; readonly key: string }
  | { readonly verb: 'set'; readonly key: string; readonly value: string }
  | { readonly verb: 'cas'; readonly key: string; readonly value: string; readonly index: number };

/** Acquires the key, or writes it if the session holds it already. Also succeeds on a key that is free or gone. */
export const opLock = (key: string, value: string, session: string): TxnOperation => ({
  verb: 'lock',
  key,
  value,
  session,
});
/** Writes a last value and frees the key; fails unless the session holds it. */
export const opUnlock = (key: string, value: string, session: string): TxnOperation => ({
  verb: 'unlock',
  key,
  value,
  session,
});
/** Fails unless the session holds the key. */
export const opCheckSession = (key: string, session: string): TxnOperation => ({ verb: 'check-session', key, session });
/** Fails unless the key exists with this ModifyIndex. */
export const opCheckIndex = (key: string, index: number): TxnOperation => ({ verb: 'check-index', key, index });
export const opCheckNotExists = (key: string): TxnOperation => ({ verb: 'check-not-exists', key });
export const opSet = (key: string, value: string): TxnOperation => ({ verb: 'set', key, value });
/** Writes only over this ModifyIndex; `null` or 0: only if the key does not exist. */
export const opCas = (key: string, value: string, index: number | null): TxnOperation => ({
  verb: 'cas',
  key,
  value,
  index: index ?? 0,
});
/** Deletes only at this ModifyIndex, also a locked key. Deleting a key that does not exist succeeds (Consul 1.8.7). */
export const opDeleteCas = (key: string, index: number): TxnOperation => ({ verb: 'delete-cas', key, index });
export const opDelete = (key: string): TxnOperation => ({ verb: 'delete', key });
/** Fails the transaction if the key does not exist. */
export const opGet = (key: string): TxnOperation => ({ verb: 'get', key });

export interface TxnError {
  /** Which operation of the transaction, from 0. */
  readonly opIndex: number;
  /** Consul's words. */
  readonly what: string;
}

export type TxnResult =
  | {
      readonly committed: true;
      /** One per operation that yields an entry (all but deletes and `check-not-exists`), in order. Values are empty but for `get`. */
      readonly entries: readonly KvEntry[];
      readonly sentAt: Millis;
      readonly receivedAt: Millis;
    }
  | {
      readonly committed: false;
      readonly errors: readonly TxnError[];
      readonly sentAt: Millis;
      readonly receivedAt: Millis;
    };

/** Why an operation of a transaction failed. `other` is not understood: it proves nothing. */
export type RefusalReason =
  'not-held' | 'changed' | 'held-by-other' | 'invalid-session' | 'lock-delay' | 'denied' | 'other';

// Consul's words, as 1.8.7 says them; the same in `agent/consul/state/txn.go` and `kvs.go` of later versions.
const WORDS: readonly (readonly [RefusalReason, RegExp])[] = [
  ['not-held', /^failed (session check for key|to check session, key|to unlock key)/],
  [
    'changed',
    /^failed (index check for key|to check index, key)|index is stale$|^key ".*" (already )?exists$|^key ".*" doesn't exist$/,
  ],
  ['held-by-other', /lock is already held$/],
  ['invalid-session', /^invalid session/],
  ['lock-delay', /due to lock delay$/],
  ['denied', /permission denied/i],
];

/** Reads Consul's words. Unknown words are `other`, so that nobody takes them for the loss of a lock. */
export function reasonOf(error: TxnError): RefusalReason {
  return WORDS.find(([, words]) => words.test(error.what))?.[0] ?? 'other';
}
