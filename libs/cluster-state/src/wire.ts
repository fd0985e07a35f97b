/**
 * What the processes of a node, and the nodes among themselves, say to each other.
 * Deadlines are CLOCK_MONOTONIC in nanoseconds as decimal text, valid in the boot `bootId` only; every hop passes them on unchanged.
 */
import type { MasterValue, NodeAddress, NodeStatus, Role, TimelinePath } from './values';

/** Where a load balancer lets Replicas in. */
export interface Door {
  readonly host: string;
  readonly port: number;
}

/** Where a Replica gets its WAL. */
export interface Upstream extends NodeAddress {
  readonly term: number;
  /** The replication slot that the upstream keeps for this node; none: it keeps none (yet). */
  readonly slot?: string;
  /**
   * Stream by the first of these load balancers that is open, which lead to the Master; none: straight from its address. Only with a
   * slot: its name carries the term, so that whoever they lead to in another term refuses. Copies are always made straight.
   */
  readonly via?: readonly Door[];
}

/** How data that is no ancestor of the upstream's, or cannot catch up with it, is made to follow it. */
export interface RejoinInstruction {
  readonly kind: 'rejoin';
  readonly upstream: Upstream;
  /** `examine`: this node's own WAL beyond the fork is looked at first; `copy`: only a base backup helps. */
  readonly how: 'examine' | 'copy';
  /** The term that this node's own data is of; 0: not known. */
  readonly dataTerm: number;
  /** Up to here both histories are one; null: not known, so neither is what would be lost. */
  readonly forkLsn: string | null;
  /**
   * Number of the timeline that both histories were on before: where this node's own timelines left it, and earlier than `forkLsn`, is
   * the fork, though no history tells it. Null: not known.
   */
  readonly leftTimeline: number | null;
  /** Numbers of the timelines that the upstream's history has gone through since, newest last. */
  readonly timelines: readonly number[];
  /** Also where commits would be lost that the upstream's history lacks. */
  readonly mayLose: boolean;
  /** It has been on a timeline that the upstream never was on: PostgreSQL could not follow it as it is, wherever its WAL ends. */
  readonly isStray?: boolean;
  readonly why: string;
}

/** Whom PostgreSQL lets in. */
export type Admits = 'everyone' | 'replication';

/** What the runner is to do with PostgreSQL. */
export type RunnerInstruction =
  /** Nothing decided: start nothing; what runs as a standby may go on. */
  | { readonly kind: 'wait' }
  /** Make a new database cluster (`initdb`, users, init scripts) and leave it stopped. */
  | { readonly kind: 'initialise' }
  /** Remove a data directory that this node itself made in a bootstrap that did not come to pass. */
  | { readonly kind: 'wipe' }
  /** Run in standby mode. An empty directory is filled by a base backup first. `upstream: null`: receive WAL from nobody. */
  | {
      readonly kind: 'follow';
      readonly upstream: Upstream | null;
      /** As of `lead`: without effect on a standby, but already in place when it is promoted. Absent: none. */
      readonly synchronousStandbyNames?: string;
    }
  /** Stopped until the data is an ancestor of the upstream's; then as `follow`. */
  | RejoinInstruction
  /**
   * May be out of recovery until `validUntil` of the answer, and fence by it. A stopped PostgreSQL is started in standby mode
   * (the controller promotes it), but for a directory fresh from `initialise`, which starts as what it is.
   */
  | {
      readonly kind: 'lead';
      readonly term: number;
      /** PostgreSQL's setting of that name. Absent: it stays as it is. */
      readonly synchronousStandbyNames?: string;
      /** Whom PostgreSQL lets in; `replication`: beside Replicas only the controller. Absent: everyone. */
      readonly admits?: Admits;
    }
  /** Every process of the data directory gone; `immediate` kills, `fast` shuts down cleanly first, bounded. */
  | { readonly kind: 'stop'; readonly mode: 'fast' | 'immediate'; readonly why: string }
  /** DeadMaster: stopped until the data directory has been emptied. */
  | { readonly kind: 'blocked'; readonly why: string };

/** `GET /controller/role` as JSON. */
export interface RoleAnswer {
  /** Grows with every publication, also over restarts of the controller within one boot. */
  readonly index: number;
  readonly bootId: string;
  readonly node: string;
  readonly role: Role;
  /** For a Master the moment at which fencing must START; for others when this answer is too old to be called ready. */
  readonly validUntil: string;
  readonly term: number;
  readonly instruction: RunnerInstruction;
  readonly master: (NodeAddress & { readonly term: number }) | null;
}

/** What db-controller publishes on its unix socket (`GET /state`). */
export interface ControllerState extends Omit<RoleAnswer, 'role'> {
  readonly role: Role | null;
  /** Healthy and initialised: may get traffic of its role. */
  readonly ready: boolean;
  readonly readyWhy: string;
  readonly lagBytes: number | null;
  /** Why clients of the standby port are not to come here though it is ready; null or absent: they may. */
  readonly whyNoReads?: string | null;
  readonly status: NodeStatus;
  /** The `master` value as this node last saw it. */
  readonly masterValue: MasterValue | null;
}

export type RunnerPhase =
  | 'waiting'
  | 'initialising'
  | 'cloning'
  | 'rejoining'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'blocked'
  | 'exiting';

/** What a node's WAL held beyond the fork of its Master's history. */
export interface Divergence {
  /** Term of the Master that it was compared with. */
  readonly term: number;
  /** Where the histories part; null: not known. */
  readonly fromLsn: string | null;
  /** Where this node's WAL ends; null: it could not be read to its end. */
  readonly toLsn: string | null;
  /** Commits (and prepared transactions) that the Master's history lacks; null: unknown, `why` tells. */
  readonly commits: number | null;
  /** Their transaction ids, the first of them. */
  readonly transactions: readonly number[];
  /** Relations that they touched, as tablespace/database/file, the first of them. */
  readonly relations: readonly string[];
  /** Where the WAL was copied to before it was given up. */
  readonly keptAt: string | null;
  readonly why: string | null;
}

/** What came of an instruction to rejoin. */
export interface Rejoined {
  /** Term of the upstream. */
  readonly term: number;
  /** `ancestor`: the data holds nothing beyond the fork, and is as it was. PostgreSQL is started for the others only. */
  readonly how: 'ancestor' | 'rewound' | 'copied';
}

/** What lies in the data directory. */
export interface DataDirectory {
  /** `empty` also while a base backup runs in place of data that was put aside: what was known of that data is over. */
  readonly state: 'empty' | 'initialised' | 'unfinished' | 'unusable';
  readonly systemId: string | null;
  /** Made by `initialise` here and never started as a member of a cluster. */
  readonly fresh: boolean;
  readonly timeline: number | null;
  /** From the control file: the last shutdown was clean and out of recovery, so that `checkpointLsn` is the end of the WAL. */
  readonly cleanShutdown: boolean;
  /** Latest checkpoint of the control file as `pg_lsn` text. */
  readonly checkpointLsn: string | null;
  /** By the names and the newest history file in `pg_wal`; null or absent: not known. */
  readonly timelines?: TimelinePath | null;
}

/** `POST /controller/runner`: sent once a second, and at every change but that of a deadline that moves on while it leads. */
export interface RunnerReport {
  /** New at every start of a runner. */
  readonly incarnation: string;
  readonly bootId: string;
  /** Index of the newest answer that it has acted on. */
  readonly obeysIndex: number;
  readonly phase: RunnerPhase;
  /** Set once it fences by this deadline: the Master role of `term` is acknowledged. */
  readonly armed: { readonly index: number; readonly term: number; readonly validUntil: string } | null;
  /** No process whose working directory is the data directory is left, and none is started before an index above `obeysIndex`. */
  readonly stopped: boolean;
  readonly postgres: {
    readonly pid: number | null;
    /** Monotonic nanoseconds; null while it does not run. */
    readonly startedAt: string | null;
    /** How the last postmaster ended, if it has. */
    readonly exit: {
      readonly code: number | null;
      readonly signal: string | null;
      readonly at: string;
      readonly asked: boolean;
    } | null;
    /** False once the control file says "in production". */
    readonly inRecovery: boolean | null;
  };
  /** The upstream that `primary_conninfo` names now; null if it is empty. */
  readonly receivingFrom: string | null;
  /** What PostgreSQL's configuration says now, and PostgreSQL was told to read. */
  readonly synchronousStandbyNames?: string;
  readonly admits?: Admits;
  readonly data: DataDirectory;
  readonly progress: { readonly what: string; readonly percent: number | null } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The data has been made to follow this term's Master, and PostgreSQL has not been told to `follow` since. */
  readonly rejoined?: Rejoined | null;
  readonly divergence?: Divergence | null;
  /** The upstream says that it has removed WAL that this Replica still needs: it can never catch up. */
  readonly walGone?: string | null;
}

/** `POST /controller/vote` (signed): the holder of `term` asks a member where it stands before promoting. */
export interface VoteRequest {
  readonly term: number;
  readonly candidate: string;
  /** The candidate waits for the answer so long; absent: 150 ms. */
  readonly withinMs?: number;
}

export interface VoteAnswer {
  readonly node: string;
  readonly term: number;
  /** False: no vote (`why` tells), such as a newer term seen, or its WAL receiver could not be stopped in time. */
  readonly granted: boolean;
  readonly why: string;
  /** (term of the data, position) order votes; the position counts only when `replayed`. */
  readonly dataTerm: number;
  readonly lsn: string | null;
  readonly replayed: boolean;
  /** "I am a candidate": would take over itself if let go first. */
  readonly candidate: boolean;
  readonly failoverPriority: number;
  /** May stand among the synchronous Replicas. Absent: an older version, which may. */
  readonly noFailover?: boolean;
  /** Absent: an older version. */
  readonly seen?: SeenByMember;
}

/** The most that a member has seen of Consul's memory: where the one who asks has seen less of the same epoch, that went back. */
export interface SeenByMember {
  readonly epoch: number;
  /** The newest term that it has seen, or voted in. */
  readonly term: number;
  /** Who held that term; null: not known. Empty: another than the key said. */
  readonly termNode: string | null;
  /** Version of key `sync`; 0: none. */
  readonly syncVersion: number;
  /** Of key `master`. */
  readonly modifyIndex: number;
  /** Why what Consul says of the hold of the one who asks is less than that; null: it is not, or is not known. */
  readonly wentBack: string | null;
}

/** `POST /controller/failsafe` (signed): the Master asks every member while Consul does not answer. */
export interface FailsafeRequest {
  readonly term: number;
  readonly holder: string;
}

export interface FailsafeAnswer {
  readonly node: string;
  readonly term: number;
  readonly agree: boolean;
  readonly why: string;
}

/**
 * `POST /controller/wal-tail` (signed): whoever is about to promote asks the last Master, whose PostgreSQL died but whose
 * node lives, for WAL that it had not sent yet. So the death of PostgreSQL alone loses nothing that was acknowledged.
 */
export interface WalTailRequest {
  /** The term that the asked node led. */
  readonly term: number;
  readonly timeline: number;
  /** Where the asker's own WAL ends. */
  readonly from: string;
  /** `wal_segment_size` of the cluster. */
  readonly segmentBytes: number;
}

export interface WalTailAnswer {
  readonly node: string;
  readonly term: number;
  readonly why: string;
  /** Position of the first of `bytes`: the beginning of the WAL page that `from` lies in. */
  readonly start: string;
  /**
   * Base64; null: none to be had. What stands in the segment of `start` from there on, beyond the end of the WAL too: its records
   * carry checksums and links to the one before, so that replay ends where the crashed server's own recovery would.
   */
  readonly bytes: string | null;
}
