import type { MasterValue, RejoinInstruction, RunnerReport } from '@ha-postgres/cluster-state';
import { formatLsn } from '@ha-postgres/lsn';
import { commonHistory, type CommonHistory } from './ancestry';
import { judge, mayFollowANewerMaster, promotionOf, RECEIVE_FROM_NOBODY, runningMaster, upstreamOf } from './following';
import type { Observation } from './observation';
import type { Outcome, Rule, Rules } from './outcome';
import { ownTimelines } from './own-timelines';
import { strayFrom, type Stray } from './stray-timelines';

/** A rewound standby that does not stream by then never will; replay to where it is consistent may take long. */
const STUCK_MS = 300_000;

/** A node whose data is no ancestor of the running Master's, or may be none: fenced, until it has been made to follow. */
export const rejoinRules: Rules = {
  /** What the runner was told before this controller began goes on: a rewind that is broken off costs a base backup. */
  rejoiningNodeKnowsNothingYet: rejoining((o) => {
    const isKnown = o.master.known && o.history.known;
    return o.published === null && (!o.runner.known || (isUnderWay(o.runner.value) && !isKnown))
      ? { role: null, instruction: null }
      : null;
  }),

  rejoiningNodeIsShownToBeAnAncestor: rejoiningTo((o, master, told) => {
    const rejoined = o.runner.known ? o.runner.value.rejoined : null;
    const isShown = rejoined?.term === master.term && rejoined.how === 'ancestor' && told.how === 'examine';
    return isShown ? finish(o, master, told) : null;
  }),

  rejoiningNodeStreamsAgain: rejoiningTo((o, master, told) => (streams(o, master) ? finish(o, master, told) : null)),

  nodeRejoinsTheRunningMaster: rejoining((o) => {
    const master = runningMaster(o);
    if (master === null || o.disk.dataTerm > master.term || !isTold(o, master)) return null;
    if (!mayRejoin(o, master)) return null;
    // What was begun is carried through: half a rewind is of no use to anybody.
    const isToBegin = instructionTo(o, master) === null;
    if (isToBegin && (o.paused || mayFollowANewerMaster(o, master))) return null;
    return { role: roleOf(o), instruction: instruct(o, master) };
  }),

  deadMasterStaysBlocked: (o) => (o.disk.deadMaster ? { role: 'DeadMaster', instruction: BLOCKED } : null),

  rejoiningNodeWaitsForAMaster: rejoining(() => ({ role: 'Replica', instruction: BLOCKED })),
};

/** What makes a Replica one that must rejoin; they stand among the rules by which it follows. */
export const beginningRules = {
  /** The runner refuses to start on it; by which history its WAL can be judged is known all the same. */
  nodeWhoseDataIsUnreadableRejoins: beginning(
    (o, master) =>
      o.disk.dataTerm > 0 && o.disk.dataTerm <= master.term && o.runner.known && isUnreadable(o.runner.value),
  ),

  divergedReplicaStopsToRejoin: beginning((o, master) => judge(o, master).kind === 'diverged'),

  /** Whatever it holds came from this very Master: a copy loses nothing. */
  replicaThatCannotCatchUpTakesANewCopy: beginning(
    (o, master) =>
      o.disk.dataTerm === master.term &&
      o.postgres.receiver?.streaming !== true &&
      o.runner.known &&
      (o.runner.value.walGone ?? null) !== null,
  ),
} satisfies Rules;

export const BLOCKED = {
  kind: 'blocked',
  why: 'its data may hold writes that the cluster does not: stopped until it can follow the Master, or the data directory is emptied',
} as const;

/** Nothing that is known of its data holds: it neither follows nor takes over before it has rejoined. */
export function needsRejoin(o: Observation): boolean {
  return o.disk.deadMaster || o.disk.rejoining !== null;
}

/** For people: what keeps a node from following, or null. */
export function rejoinOutlook(o: Observation): string | null {
  if (!needsRejoin(o)) return null;
  const error = o.runner.known ? o.runner.value.error : null;
  if (error !== null) return `${error.code}: ${error.message}`;
  const instruction = o.published?.instruction;
  if (instruction?.kind === 'rejoin') {
    const progress = o.runner.known ? o.runner.value.progress : null;
    return `rejoins ${instruction.upstream.node} (${instruction.why})${progress === null ? '' : `: ${progress.what}`}`;
  }
  if (o.policy.rejoin === 'never') return 'waits until its data directory is emptied (rejoin: never)';
  return o.paused ? 'rejoining is paused' : 'waits for a Master that runs';
}

function rejoining(rule: (o: Observation) => Outcome | null): Rule {
  return (o) => (needsRejoin(o) ? rule(o) : null);
}

/** While the runner is told to rejoin this very Master. */
function rejoiningTo(rule: (o: Observation, master: MasterValue, told: RejoinInstruction) => Outcome | null): Rule {
  return rejoining((o) => {
    const master = runningMaster(o);
    const told = master === null ? null : instructionTo(o, master);
    return master === null || told === null || !isObeyed(o) ? null : rule(o, master, told);
  });
}

/** A Replica that is found not to be able to follow as it is. */
function beginning(holds: (o: Observation, master: MasterValue) => boolean): Rule {
  return (o) => {
    const master = runningMaster(o);
    if (master === null || !holds(o, master)) return null;
    return { ...RECEIVE_FROM_NOBODY, actions: [{ type: 'recordRejoining', term: master.term }] };
  };
}

/** What lies in the data directory is no data any more. Other reasons to refuse it are an administrator's business. */
function isUnreadable({ data, error }: RunnerReport): boolean {
  const codes = ['HAPG_DATA_UNREADABLE', 'HAPG_DATA_HALF_REPLACED'];
  return data.state === 'unusable' && error !== null && codes.includes(error.code);
}

function isUnderWay({ phase, rejoined }: RunnerReport): boolean {
  return phase === 'rejoining' || (rejoined ?? null) !== null;
}

/** The history is written together with the first beat of its Master, and read by a watch of its own. */
function isTold(o: Observation, master: MasterValue): boolean {
  return promotionOf(o, master) !== undefined;
}

export function roleOf(o: Observation): 'DeadMaster' | 'Replica' {
  return o.disk.deadMaster ? 'DeadMaster' : 'Replica';
}

function instructionTo(o: Observation, master: MasterValue): RejoinInstruction | null {
  const now = o.published?.instruction;
  return now?.kind === 'rejoin' && now.upstream.term === master.term ? now : null;
}

function isObeyed(o: Observation): boolean {
  return o.runner.known && o.published !== null && o.runner.value.obeysIndex >= o.published.instructionIndex;
}

/** Its own data is given up only where that is the policy; a copy of the same Master's data loses nothing under any. */
function mayRejoin(o: Observation, master: MasterValue): boolean {
  const isACopyOfItself = o.disk.dataTerm === master.term && strayOf(o, master) === null;
  return o.policy.rejoin !== 'never' || o.rejoinAllowed || isACopyOfItself;
}

function instruct(o: Observation, master: MasterValue): RejoinInstruction {
  const { dataTerm } = o.disk;
  const history = o.history.known ? o.history.value : null;
  const common = commonHistory(master.term, history, dataTerm, o.disk.led);
  const stray = strayOf(o, master);
  if (dataTerm === master.term) return instructItsOwn(o, master, stray);
  const parting = stray === null ? common : earlier(stray, common);
  const fork = parting.forkLsn === null ? 'unknown' : formatLsn(parting.forkLsn);
  return {
    ...instructAll(o, master, parting),
    how: onlyACopyHelps(o, master) ? 'copy' : 'examine',
    mayLose: mayLose(o) || common.covered,
    ...(stray === null ? {} : { isStray: true }),
    why: `its data of term ${dataTerm} left the history of term ${master.term} at ${fork}`,
  };
}

/** Data of this very Master: it cannot catch up, so that a copy loses nothing; or it went another way, and may have more. */
function instructItsOwn(o: Observation, master: MasterValue, stray: Stray | null): RejoinInstruction {
  const told = instructionTo(o, master);
  const how = onlyACopyHelps(o, master) ? 'copy' : 'examine';
  // Once the data is touched, its timelines do not show any more why.
  if (told?.isStray === true) return { ...told, upstream: upstreamOf(o, master), mayLose: mayLose(o), how };
  const parting = stray ?? { forkLsn: null, timelines: [], leftTimeline: null };
  const all = { ...instructAll(o, master, parting), mayLose: mayLose(o) };
  return stray === null
    ? { ...all, how: 'copy', why: `it cannot catch up with term ${master.term}` }
    : { ...all, how, isStray: true, why: stray.why };
}

function mayLose(o: Observation): boolean {
  return o.policy.rejoin === 'always' || o.rejoinAllowed;
}

function strayOf(o: Observation, master: MasterValue): Stray | null {
  return strayFrom(promotionOf(o, master), ownTimelines(o));
}

type Parting = Pick<CommonHistory, 'forkLsn' | 'timelines' | 'leftTimeline'>;

function instructAll(o: Observation, master: MasterValue, { forkLsn, timelines, leftTimeline }: Parting) {
  return {
    kind: 'rejoin' as const,
    upstream: upstreamOf(o, master),
    dataTerm: o.disk.dataTerm,
    forkLsn: forkLsn === null ? null : formatLsn(forkLsn),
    leftTimeline,
    timelines,
  };
}

/** Where neither terms nor timelines tell it, it is not known. */
function earlier(stray: Parting, byTerms: Parting): Parting {
  if (stray.forkLsn === null || byTerms.forkLsn === null) return { ...byTerms, forkLsn: null };
  return stray.forkLsn < byTerms.forkLsn ? stray : byTerms;
}

/** What has been made to follow does not come to it. Once begun, a copy is carried through. */
function onlyACopyHelps(o: Observation, master: MasterValue): boolean {
  const told = instructionTo(o, master);
  if (told?.how === 'copy') return true;
  if (told === null || !o.runner.known || o.runner.value.rejoined?.term !== master.term) return false;
  const isStuck = o.published !== null && o.now > o.published.since + STUCK_MS;
  return (o.runner.value.walGone ?? null) !== null || isStuck;
}

/** Consistent, and fed by this Master: before that, what was rewound or copied may still turn out to be of no use. */
function streams(o: Observation, master: MasterValue): boolean {
  if (!o.runner.known || mayFollowANewerMaster(o, master)) return false;
  const { rejoined, postgres, receivingFrom } = o.runner.value;
  const { inRecovery, receiver } = o.postgres;
  const runs = rejoined?.term === master.term && rejoined.how !== 'ancestor' && postgres.pid !== null;
  // Not by WAL of a later term, in which the same node runs by now.
  const isOfTerm = receiver !== null && receiver.timeline <= (promotionOf(o, master)?.timeline ?? Infinity);
  return runs && receivingFrom === master.node && inRecovery === true && isOfTerm && receiver.streaming;
}

function finish(o: Observation, master: MasterValue, told: RejoinInstruction): Outcome {
  return { role: roleOf(o), instruction: told, actions: [{ type: 'finishRejoin', term: master.term }] };
}
