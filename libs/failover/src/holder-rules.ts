import type { MembersValue, NodeAddress } from '@ha-postgres/cluster-state';
import type { Action } from './actions';
import { askTheSilentOnceMore } from './ask-again';
import { begin } from './ending-rules';
import {
  RECEIVE_FROM_NOBODY,
  beforePromotion,
  isArmed,
  isBootstrap,
  lead,
  mayAskForVotesUntil,
  standBack,
  stillReceiving,
  whileRunning,
  whileWaiting,
} from './holding';
import type { Hold, Observation } from './observation';
import type { Rules } from './outcome';
import { giveSwitchoverBack, successorOf, switchoverRules } from './switchover-rules';
import { slotsToChange } from './slots';
import { beforePromotionRules, inPlaceRules, syncRules } from './sync-rules';
import { inPlace } from './sync-transition';
import { isFresh, isNamed, syncOf } from './sync-view';
import { betterCandidate } from './takeover';
import { overrides } from './vote-count';

/** How long after a question for votes what was answered is of this moment: a better candidate is let go first by it. */
const LET_GO_FIRST_MS = 500;

/** A node that holds the lock, on its way to `running` and while it runs. */
export const holderRules: Rules = {
  holderWaitsOutItsPredecessor: whileWaiting((o, memory, hold) =>
    o.now < hold.waitUntil ? { ...stillReceiving(memory), wakeAt: hold.waitUntil } : null,
  ),

  holderGivesUpWhatTakesTooLong: whileWaiting((o, _memory, hold) =>
    o.now > mayAskForVotesUntil(hold) + o.policy.promoteTimeoutMs
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
    // By which rule they count is read meanwhile.
    const reads: Action[] = isFresh(o, hold) ? [] : [{ type: 'readSync' }];
    return { ...RECEIVE_FROM_NOBODY, actions: [{ type: 'collectVotes', term: hold.term }, ...reads] };
  }),

  holderLetsABetterMemberGoFirst: beforePromotion((o, memory, hold) => {
    if (o.votes === null || overrides(o, hold)) return null;
    if (o.now > (o.votes.askedAt ?? o.votes.startedAt) + LET_GO_FIRST_MS) return null;
    const better = betterCandidate(o, o.votes.answers, memory.passedOver);
    return better === null ? null : begin(o, `${better.node} has newer data`, 'immediate', 1000, better.node);
  }),

  holderAsksTheSilentOnceMore: beforePromotion(askTheSilentOnceMore),

  holderGivesASwitchoverBack: beforePromotion(giveSwitchoverBack),

  ...beforePromotionRules,

  holderArmsItsRunner: whileWaiting((o, _memory, hold) => (isArmed(o, hold) ? null : lead(o, hold, []))),

  ...inPlaceRules,

  holderPromotes: whileWaiting((o, _memory, hold) =>
    o.postgres.inRecovery === true ? lead(o, hold, [{ type: 'promote', term: hold.term }]) : null,
  ),

  holderStartsRunning: whileWaiting((o, _memory, hold) => {
    const runs = o.postgres.inRecovery === false && o.runner.known && o.runner.value.postgres.pid !== null;
    if (!runs) return lead(o, hold, []);
    // The rule was in place before this server could take a write.
    const sync = inPlace(syncOf(o)?.version ?? 0, o.now);
    return {
      ...lead(o, hold, [{ type: 'markRunning', term: hold.term }]),
      memory: { passedOver: [], upstream: null, sync },
    };
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

  ...syncRules,

  masterKeepsASlotForEachMember: whileRunning((o, _memory, hold) => {
    const change = slotsToChange(o, hold);
    return change === null ? null : lead(o, hold, [change]);
  }),

  masterLeads: whileRunning((o, _memory, hold) => lead(o, hold, [])),
};

function needsFailsafe(o: Observation, hold: Hold): boolean {
  if (hold.unansweredSince === null || o.now < hold.unansweredSince + o.policy.unansweredLimitMs) return false;
  return o.lastFailsafeAskAt === null || o.now >= o.lastFailsafeAskAt + o.policy.heartbeatIntervalMs / 4;
}

/** The list as it should be, or null if it is so already: streaming Replicas come on, members gone for long go off. */
function wantedMembers(o: Observation): MembersValue['members'] | null {
  if (!o.members.known) return null;
  const current = o.members.value.members;
  const wanted = [o.self, ...o.reachableReplicas.filter((one) => !isTakenForAnother(one, [o.self, ...current]))];
  // Whoever is named must be asked for its vote.
  const isGone = ({ node }: NodeAddress) =>
    o.goneMembers.includes(node) && !wanted.some((one) => one.node === node) && !isNamed(o, node);
  const kept = current.filter((member) => !isGone(member));
  const missing = wanted.filter((node) => !kept.some((member) => sameAddress(member, node)));
  const isWritten = o.members.value.unreadable !== true;
  if (isWritten && missing.length === 0 && kept.length === current.length) return null;
  const replaced = kept.filter((member) => !missing.some((node) => node.node === member.node));
  return [...replaced, ...missing].sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** PostgreSQL tells names in `synchronous_standby_names` apart without regard to case: one would confirm commits for the other. */
function isTakenForAnother({ node }: NodeAddress, members: readonly NodeAddress[]): boolean {
  return members.some((one) => one.node !== node && one.node.toLowerCase() === node.toLowerCase());
}

function sameAddress(a: NodeAddress, b: NodeAddress): boolean {
  return a.node === b.node && a.host === b.host && a.port === b.port && a.apiPort === b.apiPort;
}

/** A Master whose PostgreSQL died starts it again only when nobody took over; alone it need not wait for anybody. */
function letOthersGoFirst(o: Observation): number {
  return o.members.known && o.members.value.members.length > 1 ? 1000 : 0;
}
