import type {
  Door,
  HistoryValue,
  InitializeValue,
  LastMaster,
  MasterValue,
  NodeAddress,
  NodeTags,
  OverrideValue,
  Phase,
  RunnerInstruction,
  RunnerReport,
  SyncValue,
  SwitchoverState,
  SwitchoverValue,
  VoteAnswer,
} from '@ha-postgres/cluster-state';
import type { Lsn } from '@ha-postgres/lsn';
import type { Action } from './actions';
import type { SenderSight } from './sync-transition';
import type { SyncWish } from './sync-wish';

/** CLOCK_MONOTONIC in milliseconds. Wall-clock time never gives a right. */
export type Millis = number;

/** Something known with an age, or unknown with a reason: "Consul did not answer" is a value that a rule must treat. */
export type Fact<T> =
  | { readonly known: true; readonly value: T; readonly seenAt: Millis }
  | { readonly known: false; readonly why: string };

/** Times and limits; see docs/ARCHITECTURE.md for how they bound a failover. All in milliseconds or bytes. */
export interface Policy {
  readonly leaseDurationMs: number;
  readonly driftMarginMs: number;
  readonly fenceTimeMs: number;
  readonly heartbeatIntervalMs: number;
  /** How long a beat may stay unanswered before the members are asked for failsafe. */
  readonly unansweredLimitMs: number;
  readonly promoteTimeoutMs: number;
  readonly maximumLagOnFailoverBytes: number;
  /** After a cold start the last Master is waited for so long (asynchronous replication). */
  readonly coldStartWaitMs: number;
  /** Without the runner's "stopped" so long after a stop was published, the controller kills the processes itself. */
  readonly secondFenceMs: number;
  readonly tags: NodeTags;
  /** The load balancers by which Replicas stream, in the order of preference; absent or empty: straight from the Master. */
  readonly replicationDoors?: readonly Door[];
  /** What is asked of synchronous replication. What was promised is told by the key `sync`. */
  readonly sync: SyncWish;
  /** When a node whose data has left the Master's history makes it follow by itself. */
  readonly rejoin: RejoinPolicy;
}

/**
 * `safe`: unless commits are lost by it that the Master's history lacks; `always`: those are given up (their WAL is kept aside);
 * `never`: an administrator empties the data directory.
 */
export type RejoinPolicy = 'safe' | 'always' | 'never';

/** Key `master` as last read. `entry` null: the key does not exist. */
export interface MasterSight {
  readonly entry: MasterEntry | null;
}

export interface MasterEntry {
  /** Null: what stands in the key cannot be read. */
  readonly value: MasterValue | null;
  readonly modifyIndex: number;
  readonly session: string | null;
  /** When this node first saw this ModifyIndex: the `t` of the takeover rule. */
  readonly firstSeenAt: Millis;
  /** When the newest consistent read that still showed this ModifyIndex was sent; null if none was. */
  readonly confirmedSentAt: Millis | null;
}

export interface MembersSight {
  /** The last list that could be read, where what stands there now cannot be: whoever may be on it is still asked. */
  readonly members: readonly NodeAddress[];
  readonly modifyIndex: number;
  readonly unreadable?: boolean;
}

/** Key `sync`; its fact is as old as the sending of the read. */
export interface SyncSight {
  readonly value: SyncValue | null;
  /** False: something stands in the key that cannot be read. */
  readonly isReadable: boolean;
}

export interface InitializeSight {
  readonly value: InitializeValue | null;
  readonly modifyIndex: number | null;
  readonly session: string | null;
}

/** This node's own hold of the lock, from the acquire until it is released, lost or given up. */
export interface Hold {
  readonly term: number;
  readonly phase: Phase;
  /** When the acquire was sent. */
  readonly acquiredAt: Millis;
  /** When it was answered, or, after a restart, the beat that proved the hold: what was read before may be of another Master's time. */
  readonly provenAt: Millis;
  /** End of the lease by this node's clock. */
  readonly endsAt: Millis;
  /** Consul said that the lock is not held any more. */
  readonly lost: boolean;
  /** Since when the oldest beat after the last success is without an answer. */
  readonly unansweredSince: Millis | null;
  /** Before this the predecessor may still take writes; `-Infinity` if it was cleared. */
  readonly waitUntil: Millis;
  readonly predecessor: { readonly node: string; readonly term: number } | null;
  readonly last: LastMaster | null;
  /** ModifyIndex of `master` when the lock was taken: what was written before it was written under another Master. */
  readonly acquiredIndex?: number;
}

/** A term in which a node promoted, and the term of the data that it did so with. */
export interface LedTerm {
  readonly term: number;
  readonly parentTerm: number;
  /**
   * Number of the newest timeline that its data went through, or had heard of, before: those above are its own. One below that of the
   * parent's term shows that it had recorded that term, and got nothing of it. Absent: not known.
   */
  readonly timeline?: number;
}

/** What this node keeps outside the data directory, across restarts. */
export interface DiskRecord {
  readonly highestTerm: number;
  /** Who held that term: null if that is not known, empty if it was another than the key says. */
  readonly highestTermNode: string | null;
  readonly highestModifyIndex: number;
  /** The highest number of key `epoch` that was seen; 0: none. */
  readonly epoch: number;
  /** The term whose Master this node's data comes from; 0: no data, or unknown. */
  readonly dataTerm: number;
  /** The last term in which this node itself promoted; null if never since its data directory was filled. */
  readonly ledTerm: number | null;
  /** Terms that this node promoted in and what they grew from: an end before `running` leaves them untold in the history. */
  readonly led: readonly LedTerm[];
  readonly deadMaster: boolean;
  /**
   * From here on, until it streams from a Master again, nothing is known of this node's data: it is being made to follow. The
   * term of the Master that was first to be followed; null: it is not.
   */
  readonly rejoining: number | null;
  /** Promised (failsafe) neither to acquire nor to promote before this. */
  readonly promisedUntil: Millis;
  /** The highest version of the key `sync` that was seen. */
  readonly highestSyncVersion: number;
  /** The term in which this node, its own predecessor, has let clients in. */
  readonly admittedTerm: number | null;
  /** This node's answer to the last switchover that it was asked for. */
  readonly switchover?: SwitchoverState | null;
  /**
   * PostgreSQL was stopped cleanly at the end of the term that this node led, and `lsn` is where the last record of its WAL, the
   * shutdown checkpoint, begins. It stays so until the node leads or follows another term.
   */
  readonly cleanStop?: { readonly term: number; readonly lsn: Lsn } | null;
}

export interface PostgresSight {
  /** When the reading of all that follows, but for `alive`, began; null: none succeeded since the connection was lost. */
  readonly readAt: Millis | null;
  /** The alive check has not failed `threshold` times in a row. */
  readonly alive: boolean;
  readonly failure: string | null;
  readonly inRecovery: boolean | null;
  readonly timeline: number | null;
  /** Master: the end of its WAL. Replica: the greater of received and replayed. */
  readonly lsn: Lsn | null;
  /** Replay has reached the end of what was received. */
  readonly replayed: boolean;
  /**
   * Replica: how far it has replayed. Less than `lsn` for ever where a killed Master left the beginning of a record, which is
   * no part of any history; absent: it is taken to be `lsn`.
   */
  readonly replayedLsn?: Lsn | null;
  readonly receiver: {
    readonly host: string;
    readonly port: number;
    readonly timeline: number;
    readonly streaming: boolean;
  } | null;
  /** Names of the Replicas that stream from this node. */
  readonly streamingReplicas: readonly string[];
  /** The setting as the server shows it; absent: not read. */
  readonly synchronousStandbyNames?: string | null;
  /** The processes that send WAL. */
  readonly senders?: readonly SenderSight[];
}

export interface Votes {
  readonly term: number;
  readonly startedAt: Millis;
  /** All asked have answered, or their time is over. */
  readonly complete: boolean;
  /** When they were asked last, if again. */
  readonly askedAt?: Millis;
  readonly answers: readonly VoteAnswer[];
}

/** A member as a Master sees it that looks for a successor. */
export interface SwitchoverTarget {
  readonly node: string;
  /** WAL goes to it at this moment. */
  readonly streaming: boolean;
  /** It says of itself that it could take over, and why (not). */
  readonly able: boolean;
  readonly why: string;
  readonly lagBytes: number;
  readonly failoverPriority: number;
}

/** A look at the members on behalf of the request `id`. */
export interface SuccessorLook {
  readonly id: string;
  readonly targets: readonly SwitchoverTarget[];
  /** When the members were looked at for this request first, and last. */
  readonly firstAt: Millis;
  readonly at: Millis;
}

/** What concerns a switchover. */
export interface SwitchoverSight {
  /** Key `switchover`, which only the holder of the lock reads. */
  readonly request: { readonly value: SwitchoverValue; readonly modifyIndex: number } | null;
  /** Who could succeed, as seen for the request of this id. */
  readonly look: SuccessorLook | null;
  /** Id of the switchover for which phase `draining` was written and the load balancers have had their time to hold clients. */
  readonly drainedFor: string | null;
}

/** A replication slot that this server keeps by the cluster's names. */
export interface SlotSight {
  readonly name: string;
  /** WAL that it stood for has been removed: whoever uses it cannot catch up. */
  readonly lost: boolean;
}

/** What the controller's state says to the runner now, and since which index. */
export interface Published {
  readonly instruction: RunnerInstruction;
  readonly instructionIndex: number;
  readonly since: Millis;
}

/** Everything that a decision may depend on. */
export interface Observation {
  readonly now: Millis;
  readonly startedAt: Millis;
  /** A random number in [0, 1), drawn for this decision. */
  readonly chance: number;
  readonly self: NodeAddress;
  readonly policy: Policy;
  readonly master: Fact<MasterSight>;
  readonly members: Fact<MembersSight>;
  readonly initialize: Fact<InitializeSight>;
  /** As last read, also where what stands in the key now cannot be. */
  readonly history: Fact<HistoryValue>;
  readonly historyIsUnreadable?: boolean;
  /** Number of key `epoch`; 0 where there is none. */
  readonly epoch: Fact<{ readonly number: number }>;
  readonly sync: Fact<SyncSight>;
  readonly override: OverrideValue | null;
  readonly paused: boolean;
  /** An administrator wrote key `<node>/rejoin`, and it has not served yet. */
  readonly rejoinAllowed: boolean;
  /** When this controller last saw a beat of a Master that runs elsewhere; null: never in its life. */
  readonly masterSeenRunningAt: Millis | null;
  readonly hold: Hold | null;
  /** A hold was found on disk after a restart, and Consul has not said yet whether it still stands. */
  readonly resuming: boolean;
  /** An acquire of this node is under way, or its outcome is unknown. */
  readonly acquiring: boolean;
  readonly holdsInitialize: boolean;
  readonly disk: DiskRecord;
  readonly postgres: PostgresSight;
  readonly runner: Fact<RunnerReport>;
  /**
   * Key `master` was not asked for since the runner first reported the timelines of its data: a Master that is not known here yet may
   * have made them. Absent: it was.
   */
  readonly timelinesAreNewer?: boolean;
  readonly votes: Votes | null;
  /** Newest term that this node gave a vote in. */
  readonly votedTerm: number;
  readonly published: Published | null;
  /** When the controller itself last found no process of the data directory left, after killing. */
  readonly ownKillAt: Millis | null;
  readonly lastFailsafeAskAt: Millis | null;
  /** Replicas that stream from here, with their addresses, that may become members. */
  readonly reachableReplicas: readonly NodeAddress[];
  /** Members that have not answered for 30 s and hold no session. */
  readonly goneMembers: readonly string[];
  /** Replicas that stream from here, or did a moment ago, and may be promoted, the preferred ones first; null: not looked yet. */
  readonly eligibleReplicas: readonly string[] | null;
  /** When the last CHECKPOINT that came to its end began. */
  readonly checkpointAt: Millis | null;
  /** Read on a Master only. */
  readonly slots: Fact<readonly SlotSight[]>;
  /** Wall and monotonic clock have moved apart by more than the drift margin: this machine was paused, or its clock set. */
  readonly clockJumped: boolean;
  readonly inFlight: ReadonlySet<Action['type']>;
  /** Absent: nothing is asked for. */
  readonly switchover?: SwitchoverSight;
}
