import type { NodeAddress, SyncValue } from '@ha-postgres/cluster-state';
import type { Lsn } from '@ha-postgres/lsn';

/** What is to be done, as data. Each may be repeated without harm; what came of it is a fact of a later observation. */
export type Action =
  /** Take the lock in one transaction that names the very `master` value this was decided on. */
  | { readonly type: 'acquire'; readonly term: number; readonly decidedOn: number; readonly takeOver: boolean }
  /** One consistent read of `master`, to see whether the lease has run out. */
  | { readonly type: 'confirmMaster' }
  /** Read PostgreSQL's state now: a position that is to be judged must have been read after the receiver was cut off. */
  | { readonly type: 'readPostgres' }
  | { readonly type: 'collectVotes'; readonly term: number }
  /** Write term and parent to disk, then `pg_promote(false)`, then watch until recovery has ended. */
  | { readonly type: 'promote'; readonly term: number }
  /** Phase `running` and the new entry of `history`, in one transaction with a beat; then CHECKPOINT in the background. */
  | { readonly type: 'markRunning'; readonly term: number }
  | { readonly type: 'writeMembers'; readonly members: readonly NodeAddress[] }
  /** One consistent read of `sync`: only the holder writes it. */
  | { readonly type: 'readSync' }
  | { readonly type: 'writeSync'; readonly value: SyncValue }
  /** End processes that send WAL; their Replicas connect again. */
  | { readonly type: 'endSenders'; readonly pids: readonly number[] }
  | { readonly type: 'checkpoint' }
  /** On disk first that clients are let in: a controller that is restarted must not shut them out again. */
  | { readonly type: 'admitClients'; readonly term: number }
  | { readonly type: 'askFailsafe'; readonly term: number }
  /** See who could succeed this Master; if somebody can, with a checkpoint first, so that the stop is quick. */
  | { readonly type: 'lookForSuccessors'; readonly id: string }
  | { readonly type: 'refuseSwitchover'; readonly id: string; readonly why: string }
  /** Phase `draining`, on disk and in the key; then wait until the load balancers hold clients, 200 ms at most. */
  | { readonly type: 'drain'; readonly id: string; readonly successor: string; readonly why: string }
  /** Kill every process of the data directory, beside the runner. */
  | { readonly type: 'killPostgres' }
  | {
      readonly type: 'release';
      readonly released: boolean;
      readonly successor: string | null;
      readonly lsn: Lsn | null;
      readonly lsnExact: boolean;
    }
  /** Forget a hold that Consul said is lost, and end its session. */
  | { readonly type: 'endHold' }
  | { readonly type: 'lockInitialize' }
  /** `dataTerm` 1 on disk first: the transaction may be committed without an answer, and only this node has data then. */
  | { readonly type: 'finishBootstrap'; readonly systemId: string }
  /** Key `initialize` once more, where Consul has forgotten it: so that no empty node makes a second cluster. */
  | { readonly type: 'restoreInitialize'; readonly systemId: string; readonly over: number | null }
  /** Key `history` as it was, over what cannot be read. */
  | { readonly type: 'rewriteHistory'; readonly term: number }
  /**
   * Another node took that term, or has seen as much of Consul's memory: what this one was told is an older memory, or out of date.
   * `modifyIndex` null, `syncVersion` 0: nothing but the term.
   */
  | {
      readonly type: 'recordForeignTerm';
      readonly term: number;
      readonly modifyIndex: number | null;
      readonly syncVersion: number;
    }
  /** On disk before WAL of that term can arrive, or a base backup begins. */
  | { readonly type: 'recordDataTerm'; readonly term: number }
  | { readonly type: 'recordDeadMaster' }
  /** An administrator wants the cluster to go on with this node's data as it is: it need not rejoin. */
  | { readonly type: 'readmitData' }
  /** This node led a term and its data is an ancestor of the new Master's all the same: from now on it is a Replica's. */
  | { readonly type: 'forgetLedTerm' }
  /** On disk before the data is touched: from then on it is not what its term says. */
  | { readonly type: 'recordRejoining'; readonly term: number }
  /** The data is of `term` now; what kept this node from following is forgotten, with the leave to lose commits. */
  | { readonly type: 'finishRejoin'; readonly term: number }
  /** Replication slots of this term for the members; others of the cluster's are dropped. */
  | { readonly type: 'keepSlots'; readonly create: readonly string[]; readonly drop: readonly string[] }
  /** The data directory was emptied: nothing that was known about its data holds any more. */
  | { readonly type: 'forgetData' };

/** Exactly one effect for every kind of action. */
export type Effects = { readonly [K in Action['type']]: (action: Extract<Action, { type: K }>) => Promise<void> };
