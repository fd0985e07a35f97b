import {
  parseEpoch,
  parseHistory,
  parseInitialize,
  parseLbStatus,
  parseMaster,
  parseMembers,
  parseNodeStatus,
  parseOverride,
  parsePause,
  parseSwitchover,
  parseSync,
  type ClusterKeys,
  type EpochValue,
  type HistoryValue,
  type InitializeValue,
  type LbStatus,
  type MasterValue,
  type MembersValue,
  type NodeStatus,
  type OverrideValue,
  type Parsed,
  type PauseValue,
  type SwitchoverValue,
  type SyncValue,
} from '@ha-postgres/cluster-state';
import type { ConsulClient, KvEntry } from '@ha-postgres/consul-election';

/** One key as it was read. `modifyIndex` 0: it does not exist. */
export interface Seen<T> {
  /** Null: absent, or unreadable. */
  readonly value: T | null;
  readonly modifyIndex: number;
  readonly session: string | null;
  /** Why what stands there cannot be read. */
  readonly unreadable: string | null;
}

/** All keys of a cluster, read at one Raft index. */
export interface KeysSeen {
  readonly master: Seen<MasterValue>;
  readonly initialize: Seen<InitializeValue>;
  readonly members: Seen<MembersValue>;
  readonly history: Seen<HistoryValue>;
  readonly epoch: Seen<EpochValue>;
  readonly pause: Seen<PauseValue>;
  readonly switchover: Seen<SwitchoverValue>;
  readonly sync: Seen<SyncValue>;
  readonly override: Seen<OverrideValue>;
  /** ModifyIndex of every key that exists. */
  readonly indexes: ReadonlyMap<string, number>;
  readonly statuses: readonly NodeStatus[];
  readonly loadBalancers: readonly LbStatus[];
  /** Keys whose value cannot be read, with the reason. */
  readonly unreadable: readonly { readonly key: string; readonly why: string }[];
}

/** Reads everything under the prefix in one consistent query. @throws NoAnswerError, ConsulError */
export async function readKeys(client: ConsulClient, keys: ClusterKeys, signal?: AbortSignal): Promise<KeysSeen> {
  const { entries } = await client.kvList(`${keys.prefix}/`, {
    consistency: 'consistent',
    ...(signal === undefined ? {} : { signal }),
  });
  return understand(keys, entries);
}

/** What the keys say: each is parsed by its schema, and one that cannot be read counts as absent. */
export function understand(keys: ClusterKeys, entries: readonly KvEntry[]): KeysSeen {
  const unreadable: { key: string; why: string }[] = [];
  const read = <T>(entry: KvEntry | undefined, parse: (text: string) => Parsed<T>): Seen<T> => {
    if (entry === undefined) return { value: null, modifyIndex: 0, session: null, unreadable: null };
    const parsed = parse(entry.value);
    const { modifyIndex, session } = entry;
    if (parsed.ok) return { value: parsed.value, modifyIndex, session, unreadable: null };
    unreadable.push({ key: entry.key, why: parsed.why });
    return { value: null, modifyIndex, session, unreadable: parsed.why };
  };
  const at = <T>(key: string, parse: (text: string) => Parsed<T>): Seen<T> =>
    read(
      entries.find((entry) => entry.key === key),
      parse,
    );
  const all = <T>(pattern: RegExp, parse: (text: string) => Parsed<T>): T[] =>
    entries
      .filter(({ key }) => pattern.test(key.slice(keys.prefix.length + 1)))
      .flatMap((entry) => read(entry, parse).value ?? []);
  return {
    master: at(keys.master, parseMaster),
    initialize: at(keys.initialize, parseInitialize),
    members: at(keys.members, parseMembers),
    history: at(keys.history, parseHistory),
    epoch: at(keys.epoch, parseEpoch),
    pause: at(keys.pause, parsePause),
    switchover: at(keys.switchover, parseSwitchover),
    sync: at(keys.sync, parseSync),
    override: at(keys.override, parseOverride),
    indexes: new Map(entries.map(({ key, modifyIndex }) => [key, modifyIndex])),
    statuses: all(/^[^/]+\/status$/, parseNodeStatus),
    loadBalancers: all(/^lb\/[^/]+\/status$/, parseLbStatus),
    unreadable,
  };
}
