import type { KvEntry } from '../api';
import type { TxnError, TxnOperation } from '../transaction';

export type Outcome =
  | { readonly committed: true; readonly entries: readonly KvEntry[] }
  | { readonly committed: false; readonly errors: readonly TxnError[] };
/** All keys at one Raft index. */
export type Keys = ReadonlyMap<string, KvEntry>;
type NewKeys = Map<string, KvEntry>;
type Applied = { readonly entry: KvEntry } | { readonly what: string } | { readonly gone: true };

const stripped = ({ key, modifyIndex, createIndex, lockIndex, session, flags }: KvEntry): KvEntry => ({
  key,
  value: '',
  modifyIndex,
  createIndex,
  lockIndex,
  session,
  flags,
});

/** Consul's keys and sessions as one server's state machine sees them: no time, no network. Its words are those of Consul 1.8.7. */
export class FakeStore {
  private keys: Keys = new Map();
  private sessions = new Set<string>();
  /** Raft's index. */
  index = 10;

  get(key: string): KvEntry | null {
    return this.keys.get(key) ?? null;
  }

  /** All keys that begin with `prefix`, in order. */
  list(prefix: string): readonly KvEntry[] {
    const found = [...this.keys.values()].filter(({ key }) => key.startsWith(prefix));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** The keys of this moment; no later write changes them. */
  snapshot(): Keys {
    return this.keys;
  }

  /** Its memory goes back to a snapshot, as after a restore: keys and their indexes are what they were, no session lives. */
  restore(keys: Keys): void {
    this.index += 1;
    this.keys = new Map([...keys].map(([key, entry]) => [key, { ...entry, session: null }]));
    this.sessions = new Set();
  }

  hasSession(id: string): boolean {
    return this.sessions.has(id);
  }

  addSession(id: string): void {
    this.index += 1;
    this.sessions.add(id);
  }

  /** Frees what the session holds, as behaviour `release` does. */
  endSession(id: string): void {
    if (!this.sessions.delete(id)) return;
    this.index += 1;
    const keys: NewKeys = new Map(this.keys);
    for (const [key, entry] of this.keys)
      if (entry.session === id) keys.set(key, { ...entry, session: null, modifyIndex: this.index });
    this.keys = keys;
  }

  apply(operations: readonly TxnOperation[]): Outcome {
    const keys: NewKeys = new Map(this.keys);
    const index = this.index + 1;
    const outcomes = operations.map((operation) => this.applyOne(keys, index, operation));
    const errors = outcomes.flatMap((outcome, opIndex) => ('what' in outcome ? [{ opIndex, what: outcome.what }] : []));
    this.index = index;
    if (errors.length > 0) return { committed: false, errors };
    this.keys = keys;
    return {
      committed: true,
      entries: outcomes.flatMap((outcome) => ('entry' in outcome ? [outcome.entry] : [])),
    };
  }

  private applyOne(keys: NewKeys, index: number, operation: TxnOperation): Applied {
    const { key } = operation;
    const found = keys.get(key);
    switch (operation.verb) {
      case 'get':
        return found === undefined ? { what: `key "${key}" doesn't exist` } : { entry: found };
      case 'check-not-exists':
        return found === undefined ? { gone: true } : { what: `key "${key}" exists` };
      case 'check-index':
        return checkIndex(key, found, operation.index);
      case 'check-session':
        return checkSession(key, found, operation.session);
      case 'lock':
        return this.lock(keys, index, found, operation);
      case 'unlock':
        if (found?.session !== operation.session)
          return { what: `failed to unlock key "${key}", lock isn't held, or is held by another session` };
        return put(keys, index, found, { key, value: operation.value, session: null, lockIndex: found.lockIndex });
      case 'set':
        return put(keys, index, found, {
          key,
          value: operation.value,
          session: found?.session ?? null,
          lockIndex: found?.lockIndex ?? 0,
        });
      case 'cas':
        if ((found?.modifyIndex ?? 0) !== operation.index)
          return { what: `failed to set key "${key}", index is stale` };
        return put(keys, index, found, {
          key,
          value: operation.value,
          session: found?.session ?? null,
          lockIndex: found?.lockIndex ?? 0,
        });
      case 'delete':
        keys.delete(key);
        return { gone: true };
      case 'delete-cas':
        if (found !== undefined && found.modifyIndex !== operation.index)
          return { what: `failed to delete key "${key}", index is stale` };
        keys.delete(key);
        return { gone: true };
    }
  }

  private lock(
    keys: NewKeys,
    index: number,
    found: KvEntry | undefined,
    { key, value, session }: { key: string; value: string; session: string },
  ): Applied {
    if (!this.sessions.has(session)) return { what: `invalid session "${session}"` };
    if (found?.session === session) return put(keys, index, found, { key, value, session, lockIndex: found.lockIndex });
    if (found !== undefined && found.session !== null)
      return { what: `failed to lock key "${key}", lock is already held` };
    return put(keys, index, found, { key, value, session, lockIndex: (found?.lockIndex ?? 0) + 1 });
  }
}

function checkIndex(key: string, found: KvEntry | undefined, index: number): Applied {
  if (found === undefined) return { what: `failed to check index, key "${key}" doesn't exist` };
  if (found.modifyIndex !== index)
    return { what: `failed index check for key "${key}", current modify index ${found.modifyIndex} != ${index}` };
  return { entry: stripped(found) };
}

function checkSession(key: string, found: KvEntry | undefined, session: string): Applied {
  if (found === undefined) return { what: `failed to check session, key "${key}" doesn't exist` };
  if (found.session !== session)
    return { what: `failed session check for key "${key}", current session "${found.session ?? ''}" != "${session}"` };
  return { entry: stripped(found) };
}

// A write that changes nothing leaves the ModifyIndex where it is.
function put(
  keys: NewKeys,
  index: number,
  found: KvEntry | undefined,
  next: Pick<KvEntry, 'key' | 'value' | 'session' | 'lockIndex'>,
): Applied {
  const same = found?.value === next.value && found.session === next.session && found.lockIndex === next.lockIndex;
  const modifyIndex = same ? found.modifyIndex : index;
  const { key, value, session, lockIndex } = next;
  const createIndex = found?.createIndex ?? index;
  const entry: KvEntry = { key, value, modifyIndex, createIndex, lockIndex, session, flags: 0 };
  keys.set(next.key, entry);
  return { entry: stripped(entry) };
}
