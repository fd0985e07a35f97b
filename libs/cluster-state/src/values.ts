import type { Divergence } from './wire';

/** What a node is, spelled so on the wire, in keys, in code and in logs. */
export type Role = 'Master' | 'Replica' | 'DeadMaster';
export const ROLES: readonly Role[] = ['Master', 'Replica', 'DeadMaster'];

/** How far a holder of the lock is on its way to take writes, and away from it. */
export type Phase = 'waiting' | 'promoting' | 'running' | 'draining';

/** Where a node is reached: PostgreSQL at `port`, its role-server at `apiPort`. */
export interface NodeAddress {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly apiPort: number;
}

/** The last Master that really ran, kept by holders that have not promoted themselves. */
export interface LastMaster {
  readonly node: string;
  readonly term: number;
  readonly timeline: number;
  /** `pg_lsn` text of its last beat, or of its end when `lsnExact`. */
  readonly lsn: string;
  /** True after a clean stop: as in {@link MasterValue}. */
  readonly lsnExact?: boolean;
  /** The switchover for which it stopped. */
  readonly switchover?: { readonly id: string; readonly successor: string | null };
}

/** Key `master`, written only by the holder of the lock. */
export interface MasterValue extends NodeAddress {
  /** One higher at every acquire: the identity of a history (timeline numbers are not unique). */
  readonly term: number;
  readonly beat: number;
  readonly phase: Phase;
  readonly timeline: number;
  readonly lsn: string;
  /** True only after a clean stop: `lsn` is where its last record, the shutdown checkpoint, begins. Who has replayed beyond it has all. */
  readonly lsnExact: boolean;
  /** True: the writer can take no write any more, and had itself waited out or found cleared whoever was before it. */
  readonly released: boolean;
  readonly successor: string | null;
  /** Id of the switchover for which it drains or has stopped. */
  readonly switchover?: string;
  readonly last: LastMaster | null;
  /** Nodes that it keeps a replication slot for (see `slotName`). */
  readonly slots?: readonly string[];
  /** Version of key `sync` that its writer knows of, written in this very transaction included; absent: none, or an older version. */
  readonly syncVersion?: number;
}

/** Key `initialize`: who made the cluster; `systemId` is null until `initdb` is done. */
export interface InitializeValue {
  readonly node: string;
  readonly systemId: string | null;
}

/** Key `members`: the nodes that may take over at all. */
export interface MembersValue {
  readonly members: readonly NodeAddress[];
}

/** A timeline of PostgreSQL's that was left for the next, and where (`pg_lsn` text). */
export interface LeftTimeline {
  readonly timeline: number;
  readonly at: string;
}

/** The timelines that data went through: those that it left, the oldest first, and the one that it is on. */
export interface TimelinePath {
  readonly left: readonly LeftTimeline[];
  readonly newest: number;
}

/** One promotion in key `history`. */
export interface HistoryEntry {
  readonly term: number;
  readonly parentTerm: number;
  readonly timeline: number;
  /** Where the new history leaves the old one, as `pg_lsn` text. */
  readonly forkLsn: string;
  readonly node: string;
  readonly from: string | null;
  readonly why: string;
  /** Wall clock of the new Master, for people only. */
  readonly at: string;
  /** From taking the lock to `running`, in milliseconds. */
  readonly tookMs: number;
  /** Under synchronous rules: whoever was promoted held every commit that had been acknowledged. */
  readonly covered?: boolean;
  /**
   * The timelines that the new Master's data had left, the oldest first, by PostgreSQL's own history file. Only the newest promotion
   * says it: all that follows is compared with that. Absent: not known.
   */
  readonly left?: readonly LeftTimeline[];
  /** Id of the switchover that this promotion answers, whoever was promoted. */
  readonly switchover?: string;
}

export interface HistoryValue {
  readonly promotions: readonly HistoryEntry[];
}

/** `sync`: k named Replicas confirm each commit. `quorum`: any k of the named ones. */
export type SyncMode = 'async' | 'sync' | 'quorum';

/**
 * Who must have a commit on disk before its client is answered: any `k` of `names`. With `k` 0 nobody but the Master: in mode
 * `async` that is meant to be so, in the others (`dataDurability: available`) only the Master itself can then be its own successor.
 */
export interface SyncRule {
  readonly mode: SyncMode;
  readonly k: number;
  /** Nodes, by name. More than `k` of them, and some may be missing; fewer, and no commit is acknowledged. */
  readonly names: readonly string[];
}

/**
 * Key `sync`, written only by the holder of the lock in one transaction with a beat: under which rules commits may have been
 * acknowledged. At every moment at least as strict as what PostgreSQL applies.
 */
export interface SyncValue extends SyncRule {
  /** One higher with every write. */
  readonly version: number;
  /** The term of the hold that wrote it. */
  readonly term: number;
  /** The rules before this one, until enough of `names` have all that was acknowledged under them; joined into one. */
  readonly previous: SyncRule | null;
  /** With the first rule of its term: this holder has every commit that was acknowledged under the rules before it. */
  readonly covered?: boolean;
}

/**
 * Key `override`: an administrator lets `node` be the successor of the Master of term `afterTerm` although votes are too few or
 * it lags too far. Acknowledged commits may be lost. It is used up when a Master of a later term has run.
 */
export interface OverrideValue {
  readonly id: string;
  readonly node: string;
  readonly afterTerm: number;
  readonly by: string;
  readonly why: string;
}

/** Why a node could take over now, or could not. */
export interface TakeoverOutlook {
  readonly able: boolean;
  readonly why: string;
  /** Bytes that the last running Master was ahead when it last said so: what may be lost at most, but for what it wrote after that. */
  readonly bytesBehind?: number | null;
}

/** What the Master says of synchronous replication. */
export interface SyncStatus extends SyncRule {
  /** Of `names`, those that stream. */
  readonly streaming: readonly string[];
  /** Commits wait: fewer than `k` of the named Replicas stream. */
  readonly waiting: boolean;
  /** False: commits acknowledged under earlier rules are still on their way to the named Replicas. */
  readonly settled: boolean;
  /** Only replication and the controller are admitted, until the synchronous Replicas have what a crash may have left unconfirmed. */
  readonly barred: boolean;
}

/** Key `<node>/status`: what a node says of itself; also part of `GET /controller/status`. */
export interface NodeStatus extends NodeAddress {
  readonly role: Role | null;
  readonly rule: string;
  readonly term: number;
  readonly dataTerm: number;
  readonly timeline: number | null;
  readonly lsn: string | null;
  readonly inRecovery: boolean | null;
  readonly streaming: boolean;
  readonly lagBytes: number | null;
  readonly postgresAlive: boolean;
  readonly runnerPhase: string | null;
  readonly takeover: TakeoverOutlook;
  readonly tags: NodeTags;
  readonly lastError: string | null;
  /** Why clients of the standby port are not to come here, though it may be ready; null: they may. */
  readonly whyNoReads?: string | null;
  /** The node has seen that key `pause` stands: it does not take over. */
  readonly paused?: boolean;
  /** Of the PostgreSQL cluster in its data directory; null: it holds none. */
  readonly systemId?: string | null;
  /** The highest term that it has seen or given a vote in. */
  readonly highestTerm?: number;
  /** The highest number of key `epoch` that it has seen; 0: none. */
  readonly epoch?: number;
  /** Why it takes what Consul says for less than it has seen before; null: it does not. */
  readonly consulWentBack?: string | null;
  /** The members as it last read them, kept on its disk: whom to ask where Consul has forgotten them. */
  readonly knownMembers?: readonly NodeAddress[];
  /** New at every start of its controller. */
  readonly incarnation?: string;
  /** Only the Master's, and only in a synchronous mode. */
  readonly sync?: SyncStatus | null;
  /** What became of the last switchover that this node, as Master, was asked for. */
  readonly switchover?: SwitchoverState;
  /** Set while the node is kept from following: what it waits for, or does, to rejoin. */
  readonly rejoin?: string | null;
  /** What its WAL held beyond the fork when it was last compared with a Master's history. */
  readonly divergence?: Divergence | null;
}

/**
 * A Master's answer to key `switchover`. `refused`: nothing was done. `draining`: accepted; clients are being held, PostgreSQL is
 * about to stop or stops. `released`: stopped, and another may take over: from here on `history` tells.
 */
export interface SwitchoverState {
  readonly id: string;
  /** The term that was to end. */
  readonly term: number;
  readonly state: 'refused' | 'draining' | 'released';
  readonly successor: string | null;
  readonly why: string;
}

export interface NodeTags {
  readonly noFailover: boolean;
  /** As a Replica it gets no clients of the standby port. */
  readonly noLoadBalance?: boolean;
  readonly failoverPriority: number;
}

/** Key `lb/<name>/status`, written by that load balancer's lb-syncer. */
export interface LbStatus {
  readonly name: string;
  /** ModifyIndex of the `master` value that HAProxy's state was made from. */
  readonly appliedIndex: number;
  /** The node that the master port leads to, or null. */
  readonly master: string | null;
  /** New clients of the master port wait. */
  readonly holding: boolean;
  /** Whether it would hold clients in a switchover; absent: not known, as of an older version. */
  readonly canHold?: boolean;
  readonly standbys: readonly string[];
}

/** Key `pause`: while it stands, nobody takes over, switches over or rejoins. Heartbeat, lease and fence go on. */
export interface PauseValue {
  readonly id: string;
  readonly by: string;
  readonly why: string;
}

/** Key `<node>/rejoin`: an administrator lets that node rejoin although commits are lost by it. Serves once. */
export interface RejoinValue {
  readonly id: string;
  readonly by: string;
  /** What may be lost: what the node had told of its data when this was written. Absent: whatever it is (a key written by hand). */
  readonly gives?: GivenUp;
}

/** WAL that a node holds beyond its Master's history, as its status tells it under `divergence`. */
export type GivenUp = Pick<Divergence, 'fromLsn' | 'toLsn' | 'commits' | 'transactions'>;

/**
 * Key `switchover`: an administrator's wish, answered in `<node>/status` and `history`. Served once: by the Master that sees it
 * in the term in which it was written.
 */
export interface SwitchoverValue {
  readonly id: string;
  /** The Master that is to stop; any other refuses. */
  readonly from: string;
  /** Null: the best Replica. */
  readonly to: string | null;
  /** Who asks, for log and history. */
  readonly by?: string;
}

/**
 * Key `epoch`: grows when an administrator made the keys anew after Consul had lost its data, or an old snapshot was restored. A
 * node that has seen a lower number takes the indexes of Consul from here on as they are; terms and promises it never forgets.
 */
export interface EpochValue {
  readonly number: number;
  /** The node that was named Master. */
  readonly from: string;
  readonly by: string;
}
