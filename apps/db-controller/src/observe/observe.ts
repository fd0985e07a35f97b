import type { Action, Observation } from '@ha-postgres/failover';
import type { Parts } from '../parts';
import type { ClockJump } from './clock-jump';
import { isLeaveGiven } from './rejoin-leave';

/** Everything that a decision may depend on, as one value. */
export function observe(parts: Parts, clockJump: ClockJump, inFlight: ReadonlySet<Action['type']>): Observation {
  const { consul, disk, facts, policy, postgres, publisher, self, clock, startedAt } = parts;
  return {
    now: clock.now(),
    startedAt,
    chance: parts.random(),
    self,
    policy,
    master: consul.master,
    members: consul.members,
    initialize: consul.initialize,
    history: consul.history,
    historyIsUnreadable: consul.historyIsUnreadable,
    epoch: consul.epoch,
    sync: consul.sync,
    override: consul.override,
    paused: consul.paused,
    rejoinAllowed: isLeaveGiven(facts),
    masterSeenRunningAt: consul.masterSeenRunningAt,
    hold: facts.hold?.view ?? null,
    resuming: facts.resuming,
    acquiring: facts.acquiring,
    holdsInitialize: facts.claim !== null,
    disk: disk.record,
    postgres: postgres.sight,
    runner: facts.runner,
    timelinesAreNewer: facts.timelinesSince >= consul.masterAskedAt,
    votes: facts.votes,
    votedTerm: disk.votedTerm,
    published: publisher.published,
    ownKillAt: facts.ownKillAt,
    lastFailsafeAskAt: facts.lastFailsafeAskAt,
    reachableReplicas: facts.reachableReplicas,
    goneMembers: facts.goneMembers,
    eligibleReplicas: facts.eligibleReplicas,
    checkpointAt: facts.checkpointAt,
    slots: facts.slots,
    clockJumped: clockJump.look(),
    inFlight,
    switchover: { request: consul.switchover, look: facts.successors, drainedFor: facts.drainedFor },
  };
}
