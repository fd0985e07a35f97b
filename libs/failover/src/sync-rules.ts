import type { SyncValue } from '@ha-postgres/cluster-state';
import { lagBytes, parseLsn } from '@ha-postgres/lsn';
import type { Action } from './actions';
import { alteredSettingRules } from './altered-setting-rules';
import { coversAcknowledged } from './covered';
import { begin } from './ending-rules';
import {
  RECEIVE_FROM_NOBODY,
  beforePromotion,
  hasPromoted,
  isBootstrap,
  lead,
  mayAskForVotesUntil,
  standBack,
  whileRunning,
  whileWaiting,
} from './holding';
import type { Hold, Observation } from './observation';
import type { Outcome, Rules } from './outcome';
import { currentRule, parseStandbyNames, standbyNames } from './sync-set';
import { nextStep, withRule } from './sync-transition';
import {
  isAsync,
  isBarred,
  isFresh,
  mayAdmitClients,
  nextVersion,
  serverSight,
  syncOf,
  syncProblem,
} from './sync-view';
import { wantedRule } from './sync-wish';
import { countVotes, overrides, votesOf } from './vote-count';

/** Between two rounds of questions. */
const ASK_AGAIN_MS = 200;
/** Between two readings while Replicas are waited for. */
const LOOK_AGAIN_MS = 100;

/** What a holder does for synchronous replication before it promotes: count votes, and have the rule in place. */
export const beforePromotionRules: Rules = {
  /** Read after the acquire: only the holder writes it, so nobody can change it any more. */
  holderReadsTheSynchronousRule: whileWaiting((o, _memory, hold) =>
    hasPromoted(o, hold) || isFresh(o, hold) ? null : { ...standStill(hold), actions: [{ type: 'readSync' }] },
  ),

  holderGivesUpWhenItLagsTooFar: beforePromotion((o, _memory, hold) => {
    if (o.postgres.lsn === null || hold.last === null || !isAsync(o) || overrides(o, hold)) return null;
    const lost = lagBytes(parseLsn(hold.last.lsn), o.postgres.lsn);
    return lost > o.policy.maximumLagOnFailoverBytes
      ? begin(o, `lags ${lost} bytes behind the last Master`, 'immediate', standBack(o))
      : null;
  }),

  holderGivesUpWithoutEnoughVotes: beforePromotion((o, _memory, hold) => {
    const { may, why } = countVotes(o, hold);
    return may || o.now <= mayAskForVotesUntil(hold)
      ? null
      : begin(o, `may lose acknowledged commits: ${why}`, 'immediate', standBack(o));
  }),

  holderAsksForMoreVotes: beforePromotion((o, _memory, hold) => {
    if (countVotes(o, hold).may) return null;
    const askAt = (o.votes?.askedAt ?? o.votes?.startedAt ?? o.now) + ASK_AGAIN_MS;
    const actions: Action[] = o.now >= askAt ? [{ type: 'collectVotes', term: hold.term }] : [];
    return { ...RECEIVE_FROM_NOBODY, actions, wakeAt: Math.max(o.now + 10, askAt) };
  }),

  holderWritesTheSynchronousRule: whileWaiting((o, _memory, hold) => {
    const value = hasPromoted(o, hold) ? null : firstRule(o, hold);
    return value === null ? null : { ...standStill(hold), actions: [{ type: 'writeSync', value }] };
  }),
};

/** Between arming the runner and `pg_promote`: too wide a setting loses commits, too narrow a one holds them up. */
export const inPlaceRules: Rules = {
  holderWaitsForItsSettings: whileWaiting((o, _memory, hold) => {
    if (isBootstrap(hold) || o.postgres.inRecovery !== true) return null;
    const value = syncOf(o);
    if (value === null || (value !== undefined && o.postgres.synchronousStandbyNames === standbyNames(value)))
      return null;
    return { ...lead(o, hold, [{ type: 'readPostgres' }]), wakeAt: o.now + 20 };
  }),
};

/** What a running Master does for it, when there is nothing more urgent. */
export const syncRules: Rules = {
  masterLetsClientsIn: whileRunning((o, _memory, hold) =>
    isBarred(o, hold) && mayAdmitClients(o) ? lead(o, hold, [{ type: 'admitClients', term: hold.term }]) : null,
  ),

  masterRestoresTheSynchronousRule: whileRunning((o, _memory, hold) => {
    if (!o.sync.known || syncProblem(o) === null) return null;
    return lead(o, hold, [{ type: 'writeSync', value: restored(o, hold) }]);
  }),

  ...alteredSettingRules,

  masterKeepsTheSynchronousRule: whileRunning((o, memory, hold) => {
    const value = syncOf(o);
    if (value === undefined || o.eligibleReplicas === null || !o.members.known) return null;
    const rule = wantedRule(o.policy.sync, currentRule(value), othersOf(o, o.eligibleReplicas));
    const wanted = { term: hold.term, rule, version: nextVersion(o) };
    const { step, progress } = nextStep(value, wanted, serverSight(o), memory.sync, o.checkpointAt);
    const going = (...actions: Action[]): Outcome => ({
      ...lead(o, hold, actions),
      memory: { sync: progress },
      wakeAt: Math.min(hold.endsAt - o.policy.fenceTimeMs, o.now + LOOK_AGAIN_MS),
    });
    switch (step.kind) {
      case 'write':
        return going({ type: 'writeSync', value: step.value });
      case 'endSenders':
        return going({ type: 'endSenders', pids: step.pids }, { type: 'readPostgres' });
      case 'checkpoint':
        return going({ type: 'checkpoint' });
      case 'look':
        return o.now >= (o.postgres.readAt ?? 0) + LOOK_AGAIN_MS ? going({ type: 'readPostgres' }) : going();
      case 'rest':
        return null;
    }
  }),
};

/** A cluster that was made a moment ago must not be started as a standby. */
function standStill(hold: Hold): Outcome {
  return isBootstrap(hold) ? { role: 'Replica', instruction: { kind: 'wait' } } : RECEIVE_FROM_NOBODY;
}

/**
 * The key with which this hold's term begins; null: it is written, or there is nothing to promise. Where an administrator lets it
 * take over and there is no key, Consul has lost it: under which rule commits were acknowledged nobody knows, so that until Replicas
 * have everything only this node can be its own successor.
 */
function firstRule(o: Observation, hold: Hold): SyncValue | null {
  const value = syncOf(o);
  if (value === undefined || value?.term === hold.term) return null;
  const voters = votesOf(o, hold)
    .filter(({ noFailover }) => noFailover !== true)
    .sort((a, b) => b.failoverPriority - a.failoverPriority || (a.node < b.node ? -1 : 1));
  const streaming = voters.map(({ node }) => node);
  // Never with nobody: who dies before `running` would leave a rule that nobody can succeed under. The running Master lowers it.
  const wish = { ...o.policy.sync, durability: 'strict' as const };
  const rule = wantedRule(wish, currentRule(value), othersOf(o, streaming));
  const first = withRule(value, hold.term, rule, nextVersion(o));
  if (first === null) return null;
  if (value === null && overrides(o, hold)) return { ...first, previous: { mode: first.mode, k: 0, names: [] } };
  return { ...first, ...(coversAcknowledged(o, hold) ? { covered: true } : {}) };
}

/** Members only: a vote that is needed must be one that is asked for. */
function othersOf(o: Observation, streaming: readonly string[]) {
  const all = o.members.known ? o.members.value.members.map(({ node }) => node) : [];
  const members = all.filter((node) => node !== o.self.node);
  return { members, streaming: streaming.filter((node) => members.includes(node)) };
}

/**
 * Somebody else wrote the key, or removed it. What PostgreSQL applies is known from itself; of what it applied before nothing is,
 * so that until Replicas have confirmed everything only this node can be its own successor.
 */
function restored(o: Observation, hold: Hold): SyncValue {
  const mode = o.policy.sync.mode === 'async' ? 'quorum' : o.policy.sync.mode;
  const applied = parseStandbyNames(o.postgres.synchronousStandbyNames ?? '') ?? { k: 0, names: [] };
  return { version: nextVersion(o), term: hold.term, mode, ...applied, previous: { mode, k: 0, names: [] } };
}
