import type { MembersValue, NodeAddress } from '@ha-postgres/cluster-state';
import { lagBytes, parseLsn } from '@ha-postgres/lsn';
import { begin } from './ending-rules';
import { isLeading, lead, whileRunning, type HolderRule } from './leading';
import type { Hold, Observation } from './observation';
import type { Memory, Outcome, Rule, Rules } from './outcome';
import { giveSwitchoverBack, successorOf, switchoverRules } from './switchover-rules';
import { betterCandidate } from './takeover';

/** How long a better member is let go first, counted from the first question for votes. */
const LET_GO_FIRST_MS = 500;

/** A node that holds the lock, on its way to `running` and while it runs. */
export const holderRules: Rules = {
  holderWaitsOutItsPredecessor: whileWaiting((o, memory, hold) =>
    o.now < hold.waitUntil ? { ...stillReceiving(memory), wakeAt: hold.waitUntil } : null,
  ),

  holderKeepsAPromiseNotToPromote: whileWaiting((o, memory) =>
    o.now < o.disk.promisedUntil ? { ...stillReceiving(memory), wakeAt: o.disk.promisedUntil } : null,
  ),

  holderGivesUpWhatTakesTooLong: whileWaiting((o, _memory, hold) =>
    o.now > Math.max(hold.acquiredAt, hold.waitUntil) + o.policy.promoteTimeoutMs
      ? begin(o, `not promoted within ${o.policy.promoteTimeoutMs} ms`, 'immediate', standBack(o))
      : null,
  ),

  holderGivesUpWhenItsPostgresFails: whileWaiting((o, _memory, hold) => {
    if (isBootstrap(hold)) return null;
    const gone = o.runner.known && o.runner.value.postgres.pid === null;
    return o.postgres.alive && !gone
      ? null
      : begin(
          o,
          `PostgreSQL failed before it was promoted: ${o.postgres.failure ?? 'it is not running'}`,
          'immediate',
          standBack(o),
        );
  }),

  holderLooksAtItsPostgresFirst: beforePromotion((o) =>
    o.postgres.lsn === null || o.postgres.inRecovery === null ? RECEIVE_FROM_NOBODY : null,
  ),

  holderStopsAPostgresThatSomebodyElsePromoted: beforePromotion((o) =>
    o.postgres.inRecovery === false
      ? begin(o, 'PostgreSQL is out of recovery though this hold has not promoted it', 'immediate', standBack(o))
      : null,
  ),

  holderAsksForVotes: beforePromotion((o, _memory, hold) => {
    if (o.votes?.term === hold.term) return o.votes.complete ? null : RECEIVE_FROM_NOBODY;
    return { ...RECEIVE_FROM_NOBODY, actions: [{ type: 'collectVotes', term: hold.term }] };
  }),

  holderLetsABetterMemberGoFirst: beforePromotion((o, memory) => {
    if (o.votes === null || o.now > o.votes.startedAt + LET_GO_FIRST_MS) return null;
    const better = betterCandidate(o, o.votes.answers, memory.passedOver);
    return better === null ? null : begin(o, `${better.node} has newer data`, 'immediate', 1000, better.node);
  }),

  holderGivesASwitchoverBack: beforePromotion(giveSwitchoverBack),

  holderGivesUpWhenItLagsTooFar: beforePromotion((o, _memory, hold) => {
    if (o.postgres.lsn === null || hold.last === null) return null;
    const lost = lagBytes(parseLsn(hold.last.lsn), o.postgres.lsn);
    return lost > o.policy.maximumLagOnFailoverBytes
      ? begin(o, `lags ${lost} bytes behind the last Master`, 'immediate', standBack(o))
      : null;
  }),

  holderArmsItsRunner: whileWaiting((o, _memory, hold) => (isArmed(o, hold) ? null : lead(o, hold, []))),

  holderPromotes: whileWaiting((o, _memory, hold) =>
    o.postgres.inRecovery === true ? lead(o, hold, [{ type: 'promote', term: hold.term }]) : null,
  ),

  holderStartsRunning: whileWaiting((o, _memory, hold) => {
    const runs = o.postgres.inRecovery === false && o.runner.known && o.runner.value.postgres.pid !== null;
    if (!runs) return lead(o, hold, []);
    return { ...lead(o, hold, [{ type: 'markRunning', term: hold.term }]), memory: { passedOver: [], upstream: null } };
  }),

  masterReleasesWhenItsPostgresDied: whileRunning((o) => {
    const report = o.runner.known ? o.runner.value : null;
    if (report?.postgres.pid !== null) return null;
    const exit = report.postgres.exit;
    const how =
      exit === null
        ? 'PostgreSQL is not running'
        : `PostgreSQL ended (${exit.signal ?? `exit code ${exit.code ?? 'unknown'}`})`;
    return begin(o, how, 'immediate', letOthersGoFirst(o), successorOf(o));
  }),

  masterReleasesWhenItsPostgresDoesNotAnswer: whileRunning((o) =>
    o.postgres.alive
      ? null
      : begin(
          o,
          `PostgreSQL failed its alive check: ${o.postgres.failure ?? 'no answer'}`,
          'immediate',
          letOthersGoFirst(o),
        ),
  ),

  masterReleasesWhenItsPostgresIsAStandby: whileRunning((o) =>
    o.postgres.inRecovery === true
      ? begin(o, 'PostgreSQL runs in standby mode though this node is Master', 'immediate')
      : null,
  ),

  masterAsksForFailsafe: whileRunning((o, _memory, hold) =>
    needsFailsafe(o, hold) ? lead(o, hold, [{ type: 'askFailsafe', term: hold.term }]) : null,
  ),

  ...switchoverRules,

  masterKeepsTheListOfMembers: whileRunning((o, _memory, hold) => {
    const members = wantedMembers(o);
    return members === null ? null : lead(o, hold, [{ type: 'writeMembers', members }]);
  }),

  masterLeads: whileRunning((o, _memory, hold) => lead(o, hold, [])),
};

function whileWaiting(rule: HolderRule): Rule {
  return (o, memory) => (o.hold !== null && !isLeading(o.hold) ? rule(o, memory, o.hold) : null);
}

/** A hold whose node has not asked PostgreSQL to promote yet, and must judge whether it may. */
function beforePromotion(rule: HolderRule): Rule {
  return whileWaiting((o, memory, hold) => (isBootstrap(hold) || hasPromoted(o, hold) ? null : rule(o, memory, hold)));
}

/** While the predecessor's lease runs its WAL may still arrive, and what arrives is not lost. */
function stillReceiving(memory: Memory): Outcome {
  return { role: 'Replica', instruction: { kind: 'follow', upstream: memory.upstream } };
}

const RECEIVE_FROM_NOBODY: Outcome = { role: 'Replica', instruction: { kind: 'follow', upstream: null } };

/** No Master ever ran: the creator's hold, the first of all or one after a first that ended early. There is nothing to vote on. */
function isBootstrap(hold: Hold): boolean {
  return hold.last === null;
}

/** `pg_promote` was asked for in this very hold: votes have been counted, there is no way back but the end of the hold. */
function hasPromoted(o: Observation, hold: Hold): boolean {
  return o.disk.ledTerm === hold.term;
}

/** The runner has acknowledged this hold's Master role, and a deadline that has not passed: it fences by itself from now on. */
function isArmed(o: Observation, hold: Hold): boolean {
  if (!o.runner.known || o.published?.instruction.kind !== 'lead') return false;
  const { armed } = o.runner.value;
  if (armed?.term !== hold.term || armed.index < o.published.instructionIndex) return false;
  return Number(BigInt(armed.validUntil)) / 1e6 > o.now;
}

function needsFailsafe(o: Observation, hold: Hold): boolean {
  if (hold.unansweredSince === null || o.now < hold.unansweredSince + o.policy.unansweredLimitMs) return false;
  return o.lastFailsafeAskAt === null || o.now >= o.lastFailsafeAskAt + o.policy.heartbeatIntervalMs / 4;
}

/** The list as it should be, or null if it is so already: streaming Replicas come on, members gone for long go off. */
function wantedMembers(o: Observation): MembersValue['members'] | null {
  if (!o.members.known) return null;
  const current = o.members.value.members;
  const wanted = [o.self, ...o.reachableReplicas];
  const isGone = ({ node }: NodeAddress) => o.goneMembers.includes(node) && !wanted.some((one) => one.node === node);
  const kept = current.filter((member) => !isGone(member));
  const missing = wanted.filter((node) => !kept.some((member) => sameAddress(member, node)));
  if (missing.length === 0 && kept.length === current.length) return null;
  const replaced = kept.filter((member) => !missing.some((node) => node.node === member.node));
  return [...replaced, ...missing].sort((a, b) => (a.node < b.node ? -1 : 1));
}

function sameAddress(a: NodeAddress, b: NodeAddress): boolean {
  return a.node === b.node && a.host === b.host && a.port === b.port && a.apiPort === b.apiPort;
}

/** A Master whose PostgreSQL died starts it again only when nobody took over; alone it need not wait for anybody. */
function letOthersGoFirst(o: Observation): number {
  return o.members.known && o.members.value.members.length > 1 ? 1000 : 0;
}

/** 1–2 s, at random, so that those who gave up do not meet again. */
export function standBack(o: Observation): number {
  return 1000 + o.chance * 1000;
}
