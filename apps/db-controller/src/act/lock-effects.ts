import { acquire, Session, type AlsoWrite, type KvEntry } from '@ha-postgres/consul-election';
import { isCleared, lastRunningMaster, predecessorEndsAt, type Effects, type MasterEntry } from '@ha-postgres/failover';
import { messageOf } from '@ha-postgres/service-kit';
import { formatLsn, ZERO_LSN } from '@ha-postgres/lsn';
import { parseSync, type MasterValue } from '@ha-postgres/cluster-state';
import { failpoint } from '../failpoint';
import type { Parts } from '../parts';
import { checkpointInBackground } from './checkpoint';
import { nodesWithSlot } from './slot-effects';
import { whatStands } from './what-stands';
import { OwnHold, adoptHold, type HoldFacts, type OwnHoldOptions } from './own-hold';

/** How long an acquire may stay without an answer before its session is destroyed. */
const ACQUIRE_TIMEOUT_MS = 2000;
const RETRY_MS = 200;

export function holdOptions(parts: Parts): OwnHoldOptions {
  const { client, keys, self, times, policy, log, postgres, poke, clock, bootId, consul } = parts;
  const { unansweredLimitMs } = policy;
  return {
    client,
    key: keys.master,
    self,
    times,
    unansweredLimitMs,
    log,
    onWritten: (entry, answered) => consul.sawMaster(entry, answered),
    onChange: poke,
    position: () => postgres.sight,
    slots: (term) => nodesWithSlot(parts, term),
    syncVersion: (also) => syncVersion(parts, also),
    clock,
    bootId,
  };
}

export function openSession(parts: Parts, onGone?: () => void): Promise<Session> {
  const { client, log, self, clock } = parts;
  const callbacks = onGone === undefined ? {} : { onGone };
  return Session.create(
    { client, log, clock, name: `ha-postgres ${self.node}`, ...callbacks },
    { timeoutMs: ACQUIRE_TIMEOUT_MS },
  );
}

export function lockEffects(parts: Parts): Pick<Effects, 'acquire' | 'confirmMaster' | 'release' | 'endHold'> {
  const { facts, disk, consul, log } = parts;
  return {
    confirmMaster: () => consul.confirmMaster(1000),

    acquire: async ({ term, decidedOn, takeOver }) => {
      const entry = consul.masterEntry;
      const sight = consul.master.known ? consul.master.value.entry : null;
      if (facts.nameInDoubt || entry?.modifyIndex !== decidedOn || sight === null || !consul.members.known) return;
      const attempt = { term, entry, sight, takeOver, membersIndex: consul.members.value.modifyIndex };
      facts.acquiring = true;
      const isHeld = await tryToAcquire(parts, attempt).finally(() => (facts.acquiring = false));
      // What was decided on is outdated: decided on again, it would be refused again.
      if (!isHeld) await Promise.all([consul.confirmMaster(ACQUIRE_TIMEOUT_MS), consul.reread()]);
    },

    release: async ({ released, successor, lsn, lsnExact }) => {
      const { hold } = facts;
      if (hold === null) return;
      const { term } = hold.facts;
      if (lsnExact && lsn !== null) rememberCleanStop({ term, lsn: formatLsn(lsn) });
      if (hold.view.phase === 'draining') await failpoint(parts, 'switchover-stopped');
      const outcome = await hold.release({ released, successor, lsn, lsnExact });
      log.info(
        { event: 'lease.released', outcome, term, released, successor, lsnExact },
        `release of the lock: ${outcome}`,
      );
      if (hold.view.phase === 'draining') await failpoint(parts, 'switchover-released');
      if (outcome === 'released') await forget(parts, hold);
    },

    endHold: async () => {
      if (facts.hold !== null) await forget(parts, facts.hold);
    },
  };

  /**
   * Before the release, for a controller that dies after it: what stands there tells that its data may follow. Where it cannot be
   * written the lock is freed all the same: its data is then examined before it follows.
   */
  function rememberCleanStop(cleanStop: { readonly term: number; readonly lsn: string }): void {
    try {
      disk.update({ cleanStop });
    } catch (error) {
      log.error(
        { event: 'disk.unwritable', why: messageOf(error) },
        'that PostgreSQL was stopped cleanly is not on disk',
      );
    }
  }

  /** On disk last: where that fails the hold is over all the same, and a restarted controller is refused it by Consul. */
  async function forget({ facts: own }: Parts, hold: OwnHold): Promise<void> {
    hold.stop();
    own.hold = null;
    own.votes = null;
    // A list of this hold that is not written by now never will be: its transaction names the session.
    own.pendingMembers = [];
    // The lock is free or another's already: nothing waits for the session's end.
    void hold.session.destroy();
    await Promise.resolve();
    disk.holdEnded();
  }
}

interface Attempt {
  readonly term: number;
  readonly entry: KvEntry;
  readonly sight: MasterEntry;
  readonly takeOver: boolean;
  readonly membersIndex: number;
}

/** True if the lock is held; false if it is certain that it is not. */
async function tryToAcquire(parts: Parts, attempt: Attempt): Promise<boolean> {
  const session = await openSession(parts);
  try {
    const why = await acquireWith(parts, attempt, session);
    if (why === null) return true;
    parts.log.info({ event: 'lease.not-acquired', term: attempt.term, why }, 'did not get the lock');
  } catch (error) {
    // Such as a state file that cannot be written: tried again and again, each try would leave a session that renews itself.
    await discard(parts, session);
    throw error;
  }
  await discard(parts, session);
  return false;
}

/** Null: the lock is held, and the hold has begun. Else why not, or why that is not known. */
async function acquireWith(parts: Parts, attempt: Attempt, session: Session): Promise<string | null> {
  const { client, keys, disk, facts, log, policy, clock, consul } = parts;
  const previous = attempt.sight.value;
  const holdFacts: HoldFacts = {
    term: attempt.term,
    acquiredAt: clock.now(),
    waitUntil: isCleared(attempt.sight) ? Number.NEGATIVE_INFINITY : predecessorEndsAt(attempt.sight, policy),
    predecessor: { node: previous?.node ?? 'unknown', term: previous?.term ?? 0 },
    last: previous === null ? null : lastRunningMaster(previous, consul.history.known ? consul.history.value : null),
    parentTerm: disk.record.dataTerm,
  };
  const hold = new OwnHold(holdFacts, session, holdOptions(parts));
  // On disk first: a controller that dies after the commit finds the session again, and goes on or ends it.
  disk.update({ hold: hold.stored });
  const result = await acquire(
    client,
    {
      key: keys.master,
      session: session.id,
      value: JSON.stringify(firstValue(parts, holdFacts, previous?.syncVersion)),
      decidedOn: attempt.entry,
      unchanged: [{ key: keys.members, modifyIndex: attempt.membersIndex }],
      takeOver: attempt.takeOver,
    },
    { timeoutMs: ACQUIRE_TIMEOUT_MS },
  ).catch((error: unknown) => messageOf(error));
  if (typeof result === 'string') return result;
  if (!result.done) return result.why;
  disk.saw(attempt.term, result.modifyIndex, parts.self.node);
  // A key `sync` that is older, or gone, when it is read now is then known to be so, also by a node that never saw that rule.
  disk.sawSync(previous?.syncVersion ?? 0);
  facts.hold = hold;
  hold.start(result);
  log.info(
    { event: 'lease.acquired', term: attempt.term, takeOver: attempt.takeOver, from: previous?.node },
    `acquired the lock for term ${attempt.term}`,
  );
  return null;
}

/** The attempt may be committed as long as its session lives: only without it is it certain that nothing is held. */
async function discard(parts: Parts, session: Session): Promise<void> {
  while (!session.gone && !(await session.destroy())) await parts.clock.pause(RETRY_MS);
  parts.disk.holdEnded();
}

export function firstValue(
  parts: Parts,
  facts: Pick<HoldFacts, 'term' | 'last'>,
  /** As the predecessor told. */
  toldVersion = 0,
): MasterValue {
  const { lsn, timeline } = parts.postgres.sight;
  const version = Math.max(syncVersion(parts, []), toldVersion);
  return {
    ...parts.self,
    ...(version === 0 ? {} : { syncVersion: version }),
    term: facts.term,
    beat: 0,
    phase: 'waiting',
    timeline: timeline ?? 0,
    lsn: formatLsn(lsn ?? ZERO_LSN),
    lsnExact: false,
    released: false,
    successor: null,
    last: facts.last,
  };
}

function syncVersion({ disk, keys }: Parts, also: readonly AlsoWrite[]): number {
  const written = also.flatMap(({ key, value }) => (key === keys.sync ? [parseSync(value)] : []));
  const versions = written.map((parsed) => (parsed.ok ? parsed.value.version : 0));
  return Math.max(disk.record.highestSyncVersion, ...versions);
}

/** After a restart: asks Consul whether the hold that was found on disk still stands. */
export async function resumeHold(parts: Parts): Promise<void> {
  const { disk, facts, log, bootId, clock, times } = parts;
  const stored = disk.hold;
  if (stored === null) return;
  try {
    // A beat keeps a lease alive that nothing could be remembered of: a controller that then ends, and is started again, for ever.
    disk.proveWritable();
  } catch (error) {
    parts.fail(error);
    return;
  }
  facts.resuming = true;
  // Its times are of a clock that is gone; so is everything that it had started.
  const isOfThisBoot = stored.bootId === bootId;
  const until = clock.now() + times.leaseDurationMs;
  const written = isOfThisBoot ? await whatStands(parts, stored, until) : null;
  const hold = adoptHold(stored, holdOptions(parts), written);
  const answer = !isOfThisBoot
    ? 'of another boot'
    : await hold.resume(until - clock.now()).catch((error: unknown) => {
        log.error({ event: 'lease.resume-failed', why: messageOf(error) }, 'the stored hold could not be resumed');
        return 'unanswered' as const;
      });
  log.info({ event: 'lease.resumed', term: stored.term, answer }, `the hold found on disk: ${answer}`);
  if (answer === 'held') {
    disk.saw(stored.term, 0, parts.self.node);
    facts.hold = hold;
    facts.pendingMembers = disk.pendingMembers;
    facts.resuming = false;
    if (stored.phase === 'running' && stored.predecessor !== null) void checkpointInBackground(parts, stored.term);
    parts.poke();
    return;
  }
  hold.stop();
  // Its end may be long in coming, without Consul: until then nothing is acquired, but what the hold had promoted is fenced now.
  facts.acquiring = true;
  facts.resuming = false;
  parts.poke();
  await discard(parts, hold.session).finally(() => (facts.acquiring = false));
  parts.poke();
}
