import type { HistoryValue, LastMaster, MasterValue, TakeoverOutlook, VoteAnswer } from '@ha-postgres/cluster-state';
import { lagBytes, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { ancestry } from './ancestry';
import { consulWentBack } from './consul-memory';
import type { MasterEntry, Millis, Observation, Policy } from './observation';
import { ownTimelines } from './own-timelines';
import { namedIn, votesNeeded } from './sync-set';
import { isAsync, promises, syncOf, syncProblem } from './sync-view';
import { compareData, overrides, positionOf, votedPosition, type Position } from './vote-count';

/**
 * The last Master that ran: the key's holder if that is or was running, else the one it remembers. Beats that were sent before
 * `running` was answered, or by a restarted controller, may have put an earlier phase in its place: then the history tells.
 */
export function lastRunningMaster(value: MasterValue, history: HistoryValue | null): LastMaster | null {
  if (value.phase === 'running' || value.phase === 'draining' || isTold(value, history)) {
    const { node, term, timeline, lsn, lsnExact, switchover: id, successor } = value;
    const answers = id === undefined ? {} : { switchover: { id, successor } };
    return { node, term, timeline, lsn, ...(lsnExact ? { lsnExact } : {}), ...answers };
  }
  return value.last;
}

function isTold({ node, term }: MasterValue, history: HistoryValue | null): boolean {
  return history?.promotions.some((promotion) => promotion.term === term && promotion.node === node) === true;
}

/** The same, as far as this node sees. */
export function lastMasterSeen(o: Pick<Observation, 'master' | 'history'>): LastMaster | null {
  const value = o.master.known ? o.master.value.entry?.value : null;
  return value == null ? null : lastRunningMaster(value, o.history.known ? o.history.value : null);
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
  return lastMasterSeen(o)?.switchover !== undefined;
}

/** Bytes that the last running Master was ahead of this node when it last said so. */
export function bytesAtRisk(o: Pick<Observation, 'master' | 'history'>, own: Lsn): number {
  const last = lastMasterSeen(o);
  return last === null ? 0 : lagBytes(parseLsn(last.lsn), own);
}

type Obstacle = (o: Observation) => string | null;

/** Everything that keeps a node from taking over, most telling first. */
const obstacles: readonly Obstacle[] = [
  (o) => (o.disk.deadMaster ? 'is a DeadMaster: its data may hold writes that the cluster does not' : null),
  (o) => (o.disk.rejoining === null ? null : 'its data is being made to follow the Master'),
  (o) => (o.policy.tags.noFailover ? 'tagged noFailover' : null),
  // A switchover that had begun before the pause is brought to its end.
  (o) => (o.paused && !isAwaitedSuccessor(o) ? 'takeover is paused' : null),
  (o) => (o.members.known && !isMember(o, o.self.node) ? 'not on the list of members yet' : null),
  (o) => (o.members.known ? null : `members unknown: ${o.members.why}`),
  (o) => (o.members.known && o.members.value.unreadable === true ? 'the list of members cannot be read' : null),
  (o) => (o.master.known ? null : `master unknown: ${o.master.why}`),
  consulWentBack,
  syncProblem,
  (o) => (isUnreadable(o) ? 'what stands in the master key cannot be read' : null),
  (o) => (listedOnlyAfter(o) ? 'was put on the list of members after the last beat that was seen' : null),
  (o) => (o.now < o.disk.promisedUntil ? 'promised the Master (failsafe) not to take over yet' : null),
  (o) => (o.postgres.alive ? null : `PostgreSQL does not answer: ${o.postgres.failure ?? 'unknown'}`),
  (o) => (o.postgres.inRecovery === true ? null : 'PostgreSQL is not running in standby mode'),
  (o) => (o.disk.dataTerm > 0 ? null : 'has no data of this cluster yet'),
  (o) => (o.postgres.lsn === null ? 'WAL position unknown' : null),
  dataIsNoAncestorOfTheLastMasters,
  onlyTheLastMasterMay,
  lagsTooFar,
];

/** Whether this node could take over if the Master were gone now, and why not. */
export function takeoverOutlook(o: Observation): TakeoverOutlook {
  for (const obstacle of obstacles) {
    const why = obstacle(o);
    if (why !== null) return { able: false, why, bytesBehind: bytesBehind(o) };
  }
  return { able: true, why: whyAble(o), bytesBehind: bytesBehind(o) };
}

function whyAble(o: Observation): string {
  const value = syncOf(o) ?? null;
  const rules = promises(value);
  const last = lastMasterSeen(o);
  if (last !== null && overrides(o, { last }))
    return `healthy, and an administrator lets it take over (${o.override?.id ?? ''})`;
  if (rules.length === 0) return 'healthy, and within the lag limit';
  const named = [...namedIn(value)].filter((node) => node !== o.self.node);
  const own = namedIn(value).has(o.self.node) ? 'one of the synchronous Replicas' : 'no synchronous Replica';
  return `healthy, ${own}: takes over with enough votes of [${named.join(', ')}]`;
}

function bytesBehind(o: Observation): number | null {
  const last = lastMasterSeen(o);
  return last === null || o.postgres.lsn === null ? null : lagBytes(parseLsn(last.lsn), o.postgres.lsn);
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
  const last = lastMasterSeen(o);
  if (last === null || o.disk.dataTerm > last.term || overrides(o, { last }) || isTheLastMasterItself(o, last))
    return null;
  const judged = ancestry(last, o.history.known ? o.history.value : null, o.disk, o.postgres, ownTimelines(o));
  return judged.kind === 'ancestor' ? null : judged.why;
}

/**
 * Its data is still that which it led with, whatever timelines it has been on since: it may have promoted twice in one hold, of which
 * the history tells the first only.
 */
function isTheLastMasterItself({ disk, self }: Observation, { node, term }: LastMaster): boolean {
  return node === self.node && disk.ledTerm === term && disk.dataTerm === term;
}

/** No votes would do: whoever takes the lock all the same keeps it from the one node that may promote. */
function onlyTheLastMasterMay(o: Observation): string | null {
  const isEver = promises(syncOf(o) ?? null).every((rule) => votesNeeded(rule) < Infinity);
  // Whoever has led may be its own successor, which the history decides.
  if (isEver || o.disk.ledTerm !== null || overrides(o, { last: lastMasterSeen(o) })) return null;
  return 'only the last Master itself has every commit';
}

function lagsTooFar(o: Observation): string | null {
  if (o.postgres.lsn === null || !isAsync(o) || overrides(o, { last: lastMasterSeen(o) })) return null;
  const lost = bytesAtRisk(o, o.postgres.lsn);
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
  if (o.postgres.lsn === null) return null;
  const history = o.history.known ? o.history.value : null;
  const own = positionOf(o.disk.dataTerm, o.postgres.lsn, history);
  const better = answers.filter(
    (answer) => answer.candidate && !passedOver.includes(answer.node) && isAhead(answer, o, own, history),
  );
  return better.reduce<VoteAnswer | null>(
    (best, answer) => (best === null || compare(answer, best, history) > 0 ? answer : best),
    null,
  );
}

function isAhead(answer: VoteAnswer, o: Observation, own: Position, history: HistoryValue | null): boolean {
  const position = votedPosition(answer, history);
  if (position === null) return false;
  const byPosition = compareData(position, own);
  return byPosition > 0 || (byPosition === 0 && answer.failoverPriority > o.policy.tags.failoverPriority);
}

function compare(a: VoteAnswer, b: VoteAnswer, history: HistoryValue | null): number {
  const [atA, atB] = [votedPosition(a, history), votedPosition(b, history)];
  const byPosition = atA === null || atB === null ? 0 : compareData(atA, atB);
  if (byPosition !== 0) return byPosition;
  if (a.failoverPriority !== b.failoverPriority) return a.failoverPriority - b.failoverPriority;
  return a.node < b.node ? 1 : -1;
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
