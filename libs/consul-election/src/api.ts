import type { Millis } from './clock';
import type { TxnOperation, TxnResult } from './transaction';

/** One key of Consul's key-value store. */
export interface KvEntry {
  readonly key: string;
  /** Decoded as UTF-8; empty if the key holds nothing. */
  readonly value: string;
  /** Raft index of the last change. A write that changes nothing does not move it (Consul 1.8.7, measured). */
  readonly modifyIndex: number;
  readonly createIndex: number;
  /** How often the key was acquired; starts again at 1 after a delete. */
  readonly lockIndex: number;
  /** The session that holds the key, `null` if none. */
  readonly session: string | null;
  readonly flags: number;
}

/** What came with every answer of Consul. */
export interface Answered {
  /** When the request was sent, before anything of it left this process. */
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

export interface Read extends Answered {
  /** X-Consul-Index, for the next blocking query; 0 if Consul sent none. */
  readonly index: number;
  /** Whether the server that answered knew a leader. */
  readonly knownLeader: boolean;
  /** How long ago the server that answered heard of the leader, in milliseconds; 0 from the leader itself. */
  readonly lastContactMs: number;
}

export interface KvRead extends Read {
  readonly entry: KvEntry | null;
}

export interface KvListing extends Read {
  readonly entries: readonly KvEntry[];
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Time limit of the call, in milliseconds; on top of `waitMs` for a blocking query. */
  readonly timeoutMs?: number;
  /** `'agent'` (default) or the HTTP address of a server. */
  readonly via?: string;
}

/** `default` is answered by a leader that believes to be one, `consistent` after a round trip to a quorum, `stale` by anyone. */
export type Consistency = 'default' | 'consistent' | 'stale';

export interface ReadOptions extends CallOptions {
  readonly consistency?: Consistency;
  /** Blocks until the index passes this one, `waitMs` at most (Consul adds up to a sixteenth). */
  readonly index?: number;
  readonly waitMs?: number;
}

export interface SessionRequest {
  readonly name: string;
  /** 10 s at least, unless the servers are configured otherwise. Consul ends a session up to twice this after the last renewal. */
  readonly ttlMs: number;
  /** How long nobody can acquire after the session ended with a lock; 0 is kept as 0. */
  readonly lockDelayMs: number;
  readonly behavior: 'release' | 'delete';
  /** Checks of the node that end the session when critical. Empty by default: then only TTL and destroy end it. */
  readonly nodeChecks?: readonly string[];
}

export interface SessionInfo {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly ttlMs: number;
  readonly nodeChecks: readonly string[];
}

/** What the election needs of Consul. {@link ConsulClient} is the real one; tests and simulators bring their own. */
export interface ConsulApi {
  kvGet(key: string, options?: ReadOptions): Promise<KvRead>;
  /** All keys that begin with `prefix`. */
  kvList(prefix: string, options?: ReadOptions): Promise<KvListing>;
  transaction(operations: readonly TxnOperation[], options?: CallOptions): Promise<TxnResult>;
  sessionCreate(request: SessionRequest, options?: CallOptions): Promise<string>;
  sessionRenew(id: string, options?: CallOptions): Promise<'renewed' | 'gone'>;
  sessionDestroy(id: string, options?: CallOptions): Promise<void>;
  sessionInfo(id: string, options?: ReadOptions): Promise<SessionInfo | null>;
  /** `'agent'` first, then the servers' addresses as far as known: the values that `via` takes. */
  paths(): readonly string[];
  /** Learns the servers' HTTP addresses from the catalog, and keeps the last ones learnt. */
  servers(options?: CallOptions): Promise<readonly string[]>;
}
