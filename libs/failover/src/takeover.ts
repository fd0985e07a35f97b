import type { LastMaster, MasterValue, TakeoverOutlook, VoteAnswer } from '@ha-postgres/cluster-state';
import { lagBytes, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { ancestry } from './ancestry';
import { consulWentBack } from './consul-memory';
import type { MasterEntry, Millis, Observation, Policy } from './observation';

/** The last Master that ran, as far as the key tells: its holder if that is or was running, else the one it remembers. */
export function lastRunningMaster(value: MasterValue): LastMaster | null {
  if (value.phase === 'running' || value.phase === 'draining') {
    const { node, term, timeline, lsn, lsnExact, switchover: id, successor } = value;
    const answers = id === undefined ? {} : { switchover: { id, successor } };
    return { node, term, timeline, lsn, ...(lsnExact ? { lsnExact } : {}), ...answers };
  }
  return value.last;
}

/** `t + L + δ`: from then on whoever wrote `entry` has ended its lease by its own clock. */
export function predecessorEndsAt(entry: MasterEntry, policy: Policy): Millis {
  return entry.firstSeenAt + policy.leaseDurationMs + policy.driftMarginMs;
}

/** A consistent read sent after `t + L + δ` still showed the same ModifyIndex. */
export function leaseRanOut(entry: MasterEntry, policy: Policy): boolean {
  return entry.confirmedSentAt !== null && entry.confirmedSentAt > predecessorEndsAt(entry, policy);
}

/** The writer of the value can take no write any more, and had waited out whoever was before it. */
export function isCleared(entry: MasterEntry): boolean {
  return entry.session === null && entry.value?.released === true;
}

/** Nobody holds the lock, and who held it last can take no write any more. */
export function isMasterCleared(o: Observation): boolean {
  return o.master.known && o.master.value.entry !== null && isCleared(o.master.value.entry);
}

/** The Master of a switchover has stopped, or a candidate gave it back, and named this node: everybody else waits for it. */
export function isAwaitedSuccessor(o: Observation): boolean {
  const entry = o.master.known ? o.master.value.entry : null;
  if (entry?.value == null || !isCleared(entry) || entry.value.successor !== o.self.node) return false;
  return lastRunningMaster(entry.value)?.switchover !== undefined;
}

/** Bytes that the last running Master was ahead of this node when it last said so. */
export function bytesAtRisk(value: MasterValue, own: Lsn): number {
  const last = lastRunningMaster(value);
  return last === null ? 0 : lagBytes(parseLsn(last.lsn), own);
}

type Obstacle = (o: Observation) => string | null;

/** Everything that keeps a node from taking over, most telling first. */
const obstacles: readonly Obstacle[] = [
  (o) => (o.disk.deadMaster ? 'is a DeadMaster: its data may hold writes that the cluster does not' : null),
  (o) => (o.policy.tags.noFailover ? 'tagged noFailover' : null),
  // A switchover that had begun before the pause is brought to its end.
  (o) => (o.paused && !isAwaitedSuccessor(o) ? 'takeover is paused' : null),
  (o) => (o.members.known && !isMember(o, o.self.node) ? 'not on the list of members yet' : null),
  (o) => (o.members.known ? null : `members unknown: ${o.members.why}`),
  (o) => (o.master.known ? null : `master unknown: ${o.master.why}`),
  consulWentBack,
  (o) => (isUnreadable(o) ? 'what stands in the master key cannot be read' : null),
  (o) => (listedOnlyAfter(o) ? 'was put on the list of members after the last beat that was seen' : null),
  (o) => (o.now < o.disk.promisedUntil ? 'promised the Master (failsafe) not to take over yet' : null),
  (o) => (o.postgres.alive ? null : `PostgreSQL does not answer: ${o.postgres.failure ?? 'unknown'}`),
  (o) => (o.postgres.inRecovery === true ? null : 'PostgreSQL is not running in standby mode'),
  (o) => (o.disk.dataTerm > 0 ? null : 'has no data of this cluster yet'),
  (o) => (o.postgres.lsn === null ? 'WAL position unknown' : null),
  dataIsNoAncestorOfTheLastMasters,
  lagsTooFar,
];

/** Whether this node could take over if the Master were gone now, and why not. */
export function takeoverOutlook(o: Observation): TakeoverOutlook {
  for (const obstacle of obstacles) {
    const why = obstacle(o);
    if (why !== null) return { able: false, why };
  }
  return { able: true, why: 'healthy, and within the lag limit' };
}

function isMember(o: Observation, node: string): boolean {
  return o.members.known && o.members.value.members.some((member) => member.node === node);
}

/** An unreadable value counts as absent, and an absent one makes nobody Master: term, lag and predecessor are unknown. */
function isUnreadable(o: Observation): boolean {
  return o.master.known && o.master.value.entry !== null && o.master.value.entry.value === null;
}

/** The list that added this node came with a beat; taking over on an older one would skip that beat's lease. */
function listedOnlyAfter(o: Observation): boolean {
  if (!o.members.known || !o.master.known) return false;
  const { entry } = o.master.value;
  return entry !== null && entry.modifyIndex < o.members.value.modifyIndex;
}

/** A position says nothing where the data has left the last Master's history: its WAL may even reach further. */
function dataIsNoAncestorOfTheLastMasters(o: Observation): string | null {
  const value = o.master.known ? o.master.value.entry?.value : null;
  const last = value === null || value === undefined ? null : lastRunningMaster(value);
  if (last === null || o.disk.dataTerm >= last.term) return null;
  const judged = ancestry(last, o.history.known ? o.history.value : null, o.disk, o.postgres);
  return judged.kind === 'ancestor' ? null : judged.why;
}

function lagsTooFar(o: Observation): string | null {
  if (!o.master.known || o.postgres.lsn === null) return null;
  const value = o.master.value.entry?.value;
  if (value === null || value === undefined) return null;
  const lost = bytesAtRisk(value, o.postgres.lsn);
  return lost > o.policy.maximumLagOnFailoverBytes
    ? `lags ${lost} bytes behind the last Master; ${o.policy.maximumLagOnFailoverBytes} are allowed (maximumLagOnFailover)`
    : null;
}

/**
 * The member that should go first: its data is newer (term of the data, then position), or as new and of higher priority.
 * Equal members do not make each other wait.
 */
export function betterCandidate(
  o: Observation,
  answers: readonly VoteAnswer[],
  passedOver: readonly string[],
): VoteAnswer | null {
  const own = o.postgres.lsn;
  if (own === null) return null;
  const better = answers.filter(
    (answer) =>
      answer.granted &&
      answer.candidate &&
      answer.replayed &&
      answer.lsn !== null &&
      !passedOver.includes(answer.node) &&
      isAhead(answer, o, own),
  );
  return better.reduce<VoteAnswer | null>(
    (best, answer) => (best === null || compare(answer, best) > 0 ? answer : best),
    null,
  );
}

function isAhead(answer: VoteAnswer, o: Observation, own: Lsn): boolean {
  const byPosition = comparePositions(answer.dataTerm, parseLsn(answer.lsn ?? '0/0'), o.disk.dataTerm, own);
  return byPosition > 0 || (byPosition === 0 && answer.failoverPriority > o.policy.tags.failoverPriority);
}

function compare(a: VoteAnswer, b: VoteAnswer): number {
  const byPosition = comparePositions(a.dataTerm, parseLsn(a.lsn ?? '0/0'), b.dataTerm, parseLsn(b.lsn ?? '0/0'));
  if (byPosition !== 0) return byPosition;
  if (a.failoverPriority !== b.failoverPriority) return a.failoverPriority - b.failoverPriority;
  return a.node < b.node ? 1 : -1;
}

/** Orders (term of the data, position): a longer WAL of an older term is not newer data. */
export function comparePositions(termA: number, lsnA: Lsn, termB: number, lsnB: Lsn): number {
  if (termA !== termB) return termA - termB;
  return lsnA === lsnB ? 0 : lsnA > lsnB ? 1 : -1;
}

/** A vote binds until its term has a running Master or has ended; so long the voter receives WAL from nobody. */
export function keepsVote(o: Observation): boolean {
  if (o.votedTerm === 0) return false;
  const entry = o.master.known ? o.master.value.entry : null;
  // Not to be seen: kept, unless this node's data shows that the term, or a later one, had a running Master.
  if (entry?.value == null) return o.disk.dataTerm < o.votedTerm;
  if (entry.value.term > o.votedTerm) return false;
  if (entry.value.term < o.votedTerm) return true;
  // One that drains has run, and what it still writes is the end of its WAL.
  return entry.session !== null && entry.value.phase !== 'running' && entry.value.phase !== 'draining';
}
