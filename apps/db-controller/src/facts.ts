import type { GivenUp, NodeAddress, RunnerReport } from '@ha-postgres/cluster-state';
import type { Session } from '@ha-postgres/consul-election';
import type { Fact, SlotSight, SwitchoverSight, Votes } from '@ha-postgres/failover';
import type { Millis } from '@ha-postgres/service-kit';
import type { OwnHold } from './act/own-hold';
import type { WalTail } from './act/wal-tail';

/** An administrator's leave to lose commits, once. */
export interface RejoinLeave {
  readonly id: string;
  readonly by: string;
  readonly modifyIndex: number;
  /** What it was given for; null: for whatever this node holds. */
  readonly gives: GivenUp | null;
}

export const NO_SLOTS: Fact<never> = { known: false, why: 'not a Master' };

/** What this process knows beside what Consul and PostgreSQL say: its own doings, and its runner's word. */
export class Facts {
  runner: Fact<RunnerReport> = { known: false, why: 'the runner has not reported yet' };
  /** Since when the runner reports the timelines of its data, the same ones. */
  timelinesSince: Millis = Number.NEGATIVE_INFINITY;
  hold: OwnHold | null = null;
  /** The hold is being ended, by the last decision: nothing is promoted any more. */
  ending = false;
  /** A hold was found on disk, and Consul has not said yet whether it stands. */
  resuming = false;
  /** Consul has not said yet that no other controller has this node's name: nothing is acquired before. */
  nameInDoubt = false;
  /** An acquire is under way, or went without an answer and its session is not yet known to be destroyed. */
  acquiring = false;
  /** This node's lock on `initialize`, and the ModifyIndex of its own write. */
  claim: { readonly session: Session; readonly modifyIndex: number } | null = null;
  votes: Votes | null = null;
  /** What the last Master could not send, fetched for the promotion of its term. */
  walTail: WalTail | null = null;
  ownKillAt: Millis | null = null;
  /** Processes of the data directory have been seen from here: that none is seen then means that none is there. */
  seesPostgres = false;
  lastFailsafeAskAt: Millis | null = null;
  /** Who could succeed, as seen for the switchover of that id. */
  successors: SwitchoverSight['look'] = null;
  /** The switchover for which the load balancers have had their time to hold clients. */
  drainedFor: string | null = null;
  /** The cluster's replication slots here, while this node is Master. */
  slots: Fact<readonly SlotSight[]> = NO_SLOTS;
  /** Key `<node>/rejoin`, which has not served yet. */
  rejoinLeave: RejoinLeave | null = null;
  reachableReplicas: readonly NodeAddress[] = [];
  goneMembers: readonly string[] = [];
  /** Replicas that may stand in the synchronous rule; null: not looked since this node runs as Master. */
  eligibleReplicas: readonly string[] | null = null;
  /** When the last CHECKPOINT that was asked for from here, and came to its end, began. */
  checkpointAt: Millis | null = null;
  /** A list of members that is being written: asked for failsafe together with the one that stands. */
  pendingMembers: readonly NodeAddress[] = [];
}
