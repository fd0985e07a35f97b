import type { LastMaster, MasterValue, Phase, SwitchoverState, VoteAnswer } from '@ha-postgres/cluster-state';
import { parseLsn } from '@ha-postgres/lsn';
import type { Action } from '../actions';
import type {
  DiskRecord,
  Fact,
  Hold,
  MasterEntry,
  Observation,
  Policy,
  PostgresSight,
  SwitchoverSight,
  SwitchoverTarget,
} from '../observation';
import { given, type Arguments } from './arguments';
import { EMPTY, INITIALISED, SYSTEM_ID, address, hold, known, masterValue, seen, unknown, vote } from './observations';
import { runnerCommand } from './runner-command';
import { standbyNamesOf, syncCommands, wishOf } from './sync-commands';

export type Command = (o: Observation, args: Arguments) => Observation;

/** What can be said in a transcript. Each changes what node `b` observes; nothing else happens. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  wait: (o, args) => ({ ...o, now: o.now + Number(args.name()) }),
  self: (o, args) => ({ ...o, self: address(args.name()) }),
  chance: (o, args) => ({ ...o, chance: Number(args.name()) }),
  started: (o, args) => ({ ...o, startedAt: args.time('at') ?? o.now }),

  policy: (o, args) => {
    const times = given<Policy>({
      coldStartWaitMs: args.number('coldStartWaitMs'),
      maximumLagOnFailoverBytes: args.number('maximumLagOnFailoverBytes'),
    } as Policy);
    const tags = { noFailover: args.has('noFailover'), failoverPriority: args.number('failoverPriority') ?? 0 };
    const rejoin = args.text('rejoin') as Policy['rejoin'] | undefined;
    const through = args.text('through')?.split(':');
    const replicationDoors = through === undefined ? [] : [{ host: through[0] ?? '', port: Number(through[1]) }];
    const policy = { ...o.policy, ...times, tags, sync: wishOf(o, args), replicationDoors };
    return { ...o, policy: { ...policy, ...(rejoin === undefined ? {} : { rejoin }) } };
  },

  master: (o, args) => ({ ...o, master: known({ entry: entryOf(o, args) }, o.now) }),
  'master-unknown': (o) => ({ ...o, master: unknown('Consul has no leader') }),
  'master-absent': (o) => ({ ...o, master: known({ entry: null }, o.now) }),
  'master-unreadable': (o) => {
    const entry: MasterEntry = {
      value: null,
      modifyIndex: nextIndex(o),
      session: null,
      firstSeenAt: o.now,
      confirmedSentAt: null,
    };
    return { ...o, master: known({ entry }, o.now) };
  },
  /** A consistent read, sent now, still shows the same value. */
  confirmed: (o, args) => {
    const entry = o.master.known ? o.master.value.entry : null;
    const confirmedSentAt = args.time('at') ?? o.now;
    return entry === null ? o : { ...o, master: known({ entry: { ...entry, confirmedSentAt } }, o.now) };
  },
  'never-saw-a-master': (o) => ({ ...o, masterSeenRunningAt: null }),

  members: (o, args) => {
    const modifyIndex = args.number('index') ?? 50;
    const members = args
      .names()
      .filter((word) => !word.includes('='))
      .map(address);
    return { ...o, members: known({ members, modifyIndex }, o.now) };
  },
  'members-unknown': (o) => ({ ...o, members: unknown('Consul has no leader') }),
  initialize: (o, args) => {
    const value = { node: args.name(), systemId: args.has('done') ? (args.text('systemId') ?? SYSTEM_ID) : null };
    const session = args.has('locked') ? 'creator' : null;
    return { ...o, initialize: known({ value, modifyIndex: 10, session }, o.now) };
  },
  'initialize-absent': (o) => ({ ...o, initialize: known({ value: null, modifyIndex: null, session: null }, o.now) }),
  /** `history 6<5@0/5000000,s1`: term 6 grew from term 5 at that position, for switchover s1. */
  history: (o, args) => ({ ...o, history: known({ promotions: args.names().map(promotionOf) }, o.now) }),
  epoch: (o, args) => ({ ...o, epoch: known({ number: Number(args.name()) }, o.now) }),
  'history-unknown': (o) => ({ ...o, history: unknown('not read yet') }),

  /** With the keys `sync` and `history` as they were read after the acquire. */
  hold: (o, args) => ({ ...o, hold: holdOf(o, args), sync: seenNow(o.sync, o), history: seenNow(o.history, o) }),
  'hold-gone': (o) => ({ ...o, hold: null, votes: null }),
  /** A beat, sent now, was answered. */
  beat: (o) => {
    const endsAt = o.now + o.policy.leaseDurationMs;
    return o.hold === null ? o : { ...o, hold: { ...o.hold, endsAt, unansweredSince: null } };
  },
  disk: (o, args) => ({ ...o, disk: { ...o.disk, ...diskOf(args) } }),
  postgres: (o, args) => ({ ...o, postgres: postgresOf(o, args) }),
  runner: runnerCommand,
  /** `votes 6 [at=-200] [again=-10] [pending]`: asked for, and again; what was answered is told by `vote`. */
  votes: (o, args) => ({
    ...o,
    votes: {
      term: Number(args.name()),
      startedAt: args.time('at') ?? o.now,
      ...given({ askedAt: args.time('again') }),
      complete: !args.has('pending'),
      answers: [],
    },
  }),
  vote: (o, args) => {
    if (o.votes === null) throw new RangeError(`a vote without votes: ${args.line}`);
    const answer = vote(args.name(), {
      term: o.votes.term,
      granted: !args.has('refused'),
      candidate: !args.has('noCandidate'),
      replayed: !args.has('notReplayed'),
      ...given({ lsn: args.text('lsn'), dataTerm: args.number('dataTerm') }),
      ...seenOf(args),
      ...(args.has('noFailover') ? { noFailover: true } : {}),
      failoverPriority: args.number('priority') ?? 0,
    });
    return { ...o, votes: { ...o.votes, answers: [...o.votes.answers, answer] } };
  },
  voted: (o, args) => ({ ...o, votedTerm: Number(args.name()) }),
  'failsafe-asked': (o, args) => ({ ...o, lastFailsafeAskAt: args.time('at') ?? o.now }),
  'own-kill': (o) => ({ ...o, ownKillAt: o.now }),
  'replicas-stream': (o, args) => ({ ...o, reachableReplicas: args.names().map(address) }),
  'members-gone': (o, args) => ({ ...o, goneMembers: args.names() }),
  ...syncCommands,
  'under-way': (o, args) => ({ ...o, inFlight: new Set(args.names() as Action['type'][]) }),
  flags: (o, args) => ({
    ...o,
    paused: args.has('paused'),
    rejoinAllowed: args.has('rejoinAllowed'),
    resuming: args.has('resuming'),
    acquiring: args.has('acquiring'),
    holdsInitialize: args.has('holdsInitialize'),
    clockJumped: args.has('clockJumped'),
  }),
  /** `switchover ID [from=NODE] [to=NODE] [index=N]`: what stands in the key. */
  switchover: (o, args) => {
    const value = { id: args.name(), from: args.text('from') ?? 'b', to: args.text('to') ?? null };
    return withSwitchover(o, { request: { value, modifyIndex: args.number('index') ?? 1000 } });
  },
  /** `look ID c=0 a=100,deaf d=0,lags`: members with their lag, seen now; `deaf` does not stream, `lags` could not take over. */
  look: (o, args) => {
    const [id = '', ...targets] = args.names();
    const before = o.switchover?.look;
    const firstAt = before?.id === id ? before.firstAt : o.now;
    return withSwitchover(o, { look: { id, targets: targets.map(targetOf), firstAt, at: o.now } });
  },
  drained: (o, args) => withSwitchover(o, { drainedFor: args.name() }),
  /** `slots ha_6_a ha_5_c!`: those that the server keeps; `!`: its WAL is gone. */
  slots: (o, args) => {
    const slots = args.names().map((word) => ({ name: word.replace('!', ''), lost: word.endsWith('!') }));
    return { ...o, slots: known(slots, o.now) };
  },
  'published-nothing': (o) => ({ ...o, published: null }),
  data: (o, args) => {
    if (!o.runner.known) throw new RangeError(`data without a runner's report: ${args.line}`);
    const base = args.has('empty') ? EMPTY : { ...INITIALISED, fresh: args.has('fresh') };
    const state = args.has('unusable') ? ({ state: 'unusable' } as const) : {};
    const systemId = args.text('systemId');
    const data = { ...base, ...state, ...(systemId === undefined ? {} : { systemId }) };
    return { ...o, runner: known({ ...o.runner.value, data }, o.now) };
  },
};

function withSwitchover(o: Observation, change: Partial<SwitchoverSight>): Observation {
  return { ...o, switchover: { ...(o.switchover ?? { request: null, look: null, drainedFor: null }), ...change } };
}

function targetOf(text: string): SwitchoverTarget {
  const [node = '', seen = ''] = text.split('=');
  const [lag = '', flaw] = seen.split(',');
  const why = flaw === 'lags' ? 'lags too far' : 'healthy';
  return { node, streaming: flaw !== 'deaf', able: flaw !== 'lags', why, lagBytes: Number(lag), failoverPriority: 0 };
}

function nextIndex(o: Observation): number {
  return (o.master.known ? (o.master.value.entry?.modifyIndex ?? 100) : 100) + 1;
}

function entryOf(o: Observation, args: Arguments): MasterEntry {
  const value = masterValue(args.name(), {
    ...given<MasterValue>({
      term: args.number('term'),
      phase: args.text('phase') as Phase | undefined,
      lsn: args.text('lsn'),
      timeline: args.number('timeline'),
      successor: args.text('successor'),
      switchover: args.text('switchover'),
    } as MasterValue),
    released: args.has('released'),
    lsnExact: args.has('exact'),
    last: lastOf(args.text('last')),
    ...given({ slots: args.text('slots')?.split(',') }),
  });
  return {
    value,
    modifyIndex: args.number('index') ?? nextIndex(o),
    session: args.has('free') ? null : 'session',
    firstSeenAt: o.now,
    confirmedSentAt: null,
  };
}

/**
 * `last=a/5/0/5000000`: node, term and position of the last Master that ran. `last=a/5/0/5000000,s1,b`: it stopped cleanly there
 * for switchover s1, and named b.
 */
function lastOf(text: string | undefined): LastMaster | null {
  if (text === undefined) return null;
  const [place = '', id, successor = null] = text.split(',');
  const [node = '', term = '', ...lsn] = place.split('/');
  const answers = id === undefined ? {} : { lsnExact: true, switchover: { id, successor } };
  return { node, term: Number(term), timeline: 1, lsn: lsn.join('/'), ...answers };
}

function promotionOf(text: string) {
  const [, term, parentTerm, forkLsn, switchover] = /^(\d+)<(\d+)@([^,]+)(?:,(\S+))?$/.exec(text) ?? [];
  if (term === undefined || parentTerm === undefined || forkLsn === undefined) {
    throw new RangeError(`not a promotion: ${text}`);
  }
  return {
    term: Number(term),
    parentTerm: Number(parentTerm),
    timeline: 1,
    forkLsn,
    node: 'a',
    from: null,
    why: 'test',
    at: '',
    tookMs: 1,
    ...given({ switchover }),
  };
}

function holdOf(o: Observation, args: Arguments): Hold {
  const last = args.text('last');
  const base = o.hold ?? hold({ acquiredAt: o.now, endsAt: o.now + o.policy.leaseDurationMs });
  return {
    ...base,
    ...given<Hold>({
      term: args.number('term'),
      phase: args.text('phase') as Phase | undefined,
      endsAt: args.time('endsAt'),
      waitUntil: args.time('waitUntil'),
      unansweredSince: args.time('unansweredSince'),
      acquiredIndex: args.number('acquired'),
    } as Hold),
    lost: args.has('lost'),
    ...(last === undefined ? {} : { last: lastOf(last) }),
    ...(args.has('first') ? { predecessor: null } : {}),
    ...(args.has('noLast') ? { last: null } : {}),
  };
}

function diskOf(args: Arguments): Partial<DiskRecord> {
  return {
    ...given<DiskRecord>({
      highestTerm: args.number('highestTerm'),
      highestModifyIndex: args.number('highestModifyIndex'),
      dataTerm: args.number('dataTerm'),
      ledTerm: args.number('ledTerm'),
      highestTermNode: args.text('highestTermNode'),
      epoch: args.number('epoch'),
      rejoining: args.number('rejoining'),
      promisedUntil: args.time('promisedUntil'),
    } as DiskRecord),
    ...switchoverOf(args.text('switchover')),
    ...cleanStopOf(args.text('cleanStop')),
    ...(args.has('notLed') ? { ledTerm: null } : {}),
    ...(args.has('deadMaster') ? { deadMaster: true } : {}),
    ...(args.has('rejoined') ? { ledTerm: null, deadMaster: false, rejoining: null } : {}),
    ...(args.has('nothing') ? { dataTerm: 0, ledTerm: null, deadMaster: false, rejoining: null } : {}),
  };
}

/** `switchover=s1,6,draining,c`: id, term, state, successor. */
function switchoverOf(text: string | undefined): Partial<DiskRecord> {
  if (text === undefined) return {};
  const [id = '', term = '', state = '', successor = null] = text.split(',');
  const switchover = { id, term: Number(term), state: state as SwitchoverState['state'], successor, why: 'asked for' };
  return { switchover };
}

/** `cleanStop=5@0/5000000`: term and position. */
function cleanStopOf(text: string | undefined): Partial<DiskRecord> {
  const [term = '', lsn] = (text ?? '').split('@');
  return lsn === undefined ? {} : { cleanStop: { term: Number(term), lsn: parseLsn(lsn) } };
}

/** `seen=8,a` (term, holder), `seenSync=4`, `wentBack`: what a member has seen of Consul's memory. */
function seenOf(args: Arguments): Partial<VoteAnswer> {
  const [term, termNode = null] = args.text('seen')?.split(',') ?? [];
  const syncVersion = args.number('seenSync') ?? 0;
  const wentBack = args.has('wentBack') ? 'its memory went back' : null;
  if (term === undefined && syncVersion === 0 && wentBack === null) return {};
  return { seen: seen({ term: Number(term ?? 0), termNode, syncVersion, wentBack }) };
}

function postgresOf(o: Observation, args: Arguments): PostgresSight {
  const lsn = args.text('lsn');
  const from = args.text('from');
  const replayed = args.text('replayed');
  const timeline = args.number('timeline') ?? 1;
  const isDead = args.has('dead');
  return {
    ...o.postgres,
    readAt: isDead ? null : args.has('readBefore') ? o.now - 100 : o.now,
    alive: !isDead,
    failure: isDead ? 'connection refused' : null,
    inRecovery: isDead ? null : args.has('standby') ? true : args.has('writable') ? false : o.postgres.inRecovery,
    timeline,
    replayed: !args.has('notReplayed'),
    replayedLsn: replayed === undefined ? null : parseLsn(replayed),
    ...standbyNamesOf(o, args),
    lsn: args.has('noPosition') ? null : lsn === undefined ? o.postgres.lsn : parseLsn(lsn),
    receiver: from === undefined ? null : { host: `${from}.local`, port: 5432, timeline, streaming: true },
  };
}

function seenNow<T>(fact: Fact<T>, { now }: Observation): Fact<T> {
  return fact.known ? { ...fact, seenAt: now } : fact;
}
