import type { RunnerInstruction } from '@ha-postgres/cluster-state';
import { ZERO_LSN, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { isLeading } from './holding';
import type { Hold, Observation } from './observation';
import type { Ending, Outcome, Rules } from './outcome';

/**
 * A hold ends in one order: the stop is published, PostgreSQL is seen to be stopped, then the lock is released (or, if Consul
 * already said that it is lost, forgotten). Freed earlier, another node could promote beside a backend that still commits.
 */
export const endingRules: Rules = {
  holderStopsWhenConsulSaysTheLockIsLost: (o, memory) =>
    o.hold?.lost === true && memory.ending === null ? begin(o, 'Consul says that the lock is lost', 'immediate') : null,

  holderStopsBeforeItsLeaseEnds: (o, memory) =>
    o.hold !== null && memory.ending === null && o.now >= o.hold.endsAt - o.policy.fenceTimeMs
      ? begin(o, 'the lease is about to end without proof of renewal', 'immediate')
      : null,

  holderStopsAfterItsClockJumped: (o, memory) =>
    o.hold !== null && memory.ending === null && o.clockJumped
      ? begin(o, 'wall and monotonic clock moved apart: this machine was paused, or its clock set', 'immediate', 2000)
      : null,

  /** Whatever keeps PostgreSQL from a clean stop (a Replica that hangs is waited for) has had its time, or there is none any more. */
  holderStopsHardWhatDoesNotStopCleanly: (o, memory) => {
    if (o.hold === null || memory.ending?.mode !== 'fast' || isStopped(o)) return null;
    return o.hold.lost || o.clockJumped || o.now >= memory.ending.cleanUntil ? endHard(o, memory.ending) : null;
  },

  holderWaitsUntilPostgresIsStopped: (o, memory) =>
    o.hold !== null && memory.ending?.stops === true && !isStopped(o) ? waitForStop(o, memory.ending) : null,

  holderForgetsALostLockOnceStopped: (o, memory) =>
    o.hold?.lost === true && memory.ending !== null
      ? { role: 'Replica', instruction: lastInstruction(memory.ending), actions: [{ type: 'endHold' }] }
      : null,

  holderReleasesOnceStopped: (o, memory) =>
    o.hold !== null && memory.ending !== null ? release(o, o.hold, memory.ending) : null,

  endedHoldIsForgotten: (o, memory) =>
    o.hold === null && memory.ending !== null
      ? {
          role: 'Replica',
          instruction: lastInstruction(memory.ending),
          memory: {
            ending: null,
            standBackUntil: o.now + memory.ending.standBackMs,
            passedOver:
              memory.ending.successor === null ? memory.passedOver : [...memory.passedOver, memory.ending.successor],
          },
          wakeAt: o.now,
        }
      : null,
};

/** Begins the end of a hold; from here on it is never led again. */
export function begin(
  o: Observation,
  why: string,
  mode: Ending['mode'],
  standBackMs = 0,
  successor: string | null = null,
): Outcome {
  // The runner fences by the deadline that it has, and gets no later one while it stops.
  const cleanUntil = (o.hold?.endsAt ?? o.now) - o.policy.fenceTimeMs;
  const ending: Ending = { why, since: o.now, mode, cleanUntil, successor, standBackMs, stops: !neverPromoted(o) };
  return { ...waitForStop(o, ending), memory: { ending } };
}

/** `pg_promote` was not asked for in this hold (that is on disk before it is), and nobody else promoted either. */
function neverPromoted(o: Observation): boolean {
  if (o.hold?.last == null || o.hold.phase !== 'waiting') return false;
  return o.disk.ledTerm !== o.hold.term && o.postgres.inRecovery !== false;
}

function endHard(o: Observation, ending: Ending): Outcome {
  const hard: Ending = { ...ending, mode: 'immediate' };
  return { ...waitForStop(o, hard), memory: { ending: hard } };
}

function waitForStop(o: Observation, ending: Ending): Outcome {
  const until = (o.published?.since ?? o.now) + o.policy.secondFenceMs;
  const overdue = ending.stops && ending.mode === 'immediate' && isToldToStop(o, ending) && o.now >= until;
  return {
    role: 'Replica',
    instruction: lastInstruction(ending),
    actions: overdue ? [{ type: 'killPostgres' }] : [],
    wakeAt: Math.max(o.now + 10, ending.mode === 'fast' ? ending.cleanUntil : until),
  };
}

/** By the very instruction that this ending gives: before that, or while a clean stop was asked for, nothing is overdue. */
function isToldToStop(o: Observation, { mode }: Ending): boolean {
  return o.published?.instruction.kind === 'stop' && o.published.instruction.mode === mode;
}

function lastInstruction({ stops, mode, why }: Ending): RunnerInstruction {
  return stops ? { kind: 'stop', mode, why } : { kind: 'follow', upstream: null };
}

/**
 * No process of the data directory is left, and none will be started before a new answer: said by the runner of this very
 * stop, by a runner that is exiting, or seen by the controller after its own kill.
 */
export function isStopped(o: Observation): boolean {
  if (o.published?.instruction.kind !== 'stop') return false;
  if (o.ownKillAt !== null && o.ownKillAt >= o.published.since) return true;
  if (!o.runner.known || !o.runner.value.stopped) return false;
  return o.runner.value.obeysIndex >= o.published.instructionIndex || o.runner.value.phase === 'exiting';
}

function release(o: Observation, hold: Hold, ending: Ending): Outcome {
  return {
    role: 'Replica',
    instruction: lastInstruction(ending),
    actions: [
      {
        type: 'release',
        // No promise can be pending: it is waited out before the lock is taken, and who holds that promises nothing.
        released: o.now >= hold.waitUntil,
        successor: ending.successor,
        lsn: endOfWal(o),
        lsnExact: isLeading(hold) && o.runner.known && o.runner.value.data.cleanShutdown,
      },
    ],
    wakeAt: o.now + 300,
  };
}

function endOfWal(o: Observation): Lsn | null {
  const checkpoint = o.runner.known && o.runner.value.data.cleanShutdown ? o.runner.value.data.checkpointLsn : null;
  const ends = [o.postgres.lsn ?? ZERO_LSN, checkpoint === null ? ZERO_LSN : parseLsn(checkpoint)];
  const end = ends.reduce((a, b) => (a > b ? a : b));
  return end === ZERO_LSN ? null : end;
}
