import type {
  DataDirectory,
  LastMaster,
  MasterValue,
  NodeAddress,
  RejoinInstruction,
  RunnerReport,
  SeenByMember,
  SyncValue,
  VoteAnswer,
} from '@ha-postgres/cluster-state';
import { parseLsn } from '@ha-postgres/lsn';
import type { Fact, Hold, MasterEntry, Observation, Policy, PostgresSight } from '../observation';

/** Builders of observations for tests: the ordinary case, and what differs from it. */

export const POLICY: Policy = {
  leaseDurationMs: 3000,
  driftMarginMs: 300,
  fenceTimeMs: 700,
  heartbeatIntervalMs: 500,
  unansweredLimitMs: 300,
  promoteTimeoutMs: 20_000,
  maximumLagOnFailoverBytes: 1024 * 1024,
  coldStartWaitMs: 30_000,
  secondFenceMs: 200,
  tags: { noFailover: false, failoverPriority: 0 },
  sync: { mode: 'async', k: 1, durability: 'strict' },
  rejoin: 'safe',
};

export const NOW = 1_000_000;
export const LSN = '0/5000000';
export const SYSTEM_ID = '7000000000000000001';

export function known<T>(value: T, seenAt = NOW): Fact<T> {
  return { known: true, value, seenAt };
}

export function unknown<T>(why = 'no answer'): Fact<T> {
  return { known: false, why };
}

export function address(node: string): NodeAddress {
  return { node, host: `${node}.local`, port: 5432, apiPort: 8080 };
}

export function masterValue(node: string, change: Partial<MasterValue> = {}): MasterValue {
  return {
    ...address(node),
    term: 5,
    beat: 1,
    phase: 'running',
    timeline: 1,
    lsn: LSN,
    lsnExact: false,
    released: false,
    successor: null,
    last: null,
    ...change,
  };
}

export function masterEntry(value: MasterValue | null, change: Partial<MasterEntry> = {}): MasterEntry {
  return { value, modifyIndex: 100, session: 'session', firstSeenAt: NOW, confirmedSentAt: null, ...change };
}

export function lastMaster(node: string, change: Partial<LastMaster> = {}): LastMaster {
  return { node, term: 5, timeline: 1, lsn: LSN, ...change };
}

/** A hold of term 6 that took over from `a`, whose lease is over. */
export function hold(change: Partial<Hold> = {}): Hold {
  return {
    term: 6,
    phase: 'waiting',
    acquiredAt: NOW - 100,
    provenAt: change.acquiredAt ?? NOW - 100,
    endsAt: NOW + 2900,
    lost: false,
    unansweredSince: null,
    waitUntil: Number.NEGATIVE_INFINITY,
    predecessor: { node: 'a', term: 5 },
    last: lastMaster('a'),
    ...change,
  };
}

export function standby(change: Partial<PostgresSight> = {}): PostgresSight {
  return {
    readAt: NOW,
    alive: true,
    failure: null,
    inRecovery: true,
    timeline: 1,
    lsn: parseLsn(LSN),
    replayed: true,
    receiver: { host: 'a.local', port: 5432, timeline: 1, streaming: true },
    streamingReplicas: [],
    ...change,
  };
}

export function writable(change: Partial<PostgresSight> = {}): PostgresSight {
  return standby({ inRecovery: false, receiver: null, ...change });
}

export function dead(change: Partial<PostgresSight> = {}): PostgresSight {
  return standby({
    alive: false,
    failure: 'connection refused',
    inRecovery: null,
    receiver: null,
    readAt: null,
    ...change,
  });
}

export const INITIALISED: DataDirectory = {
  state: 'initialised',
  systemId: SYSTEM_ID,
  fresh: false,
  timeline: 1,
  cleanShutdown: false,
  checkpointLsn: null,
};

export const EMPTY: DataDirectory = { ...INITIALISED, state: 'empty', systemId: null, timeline: null };

const RUNNING: RunnerReport = {
  incarnation: 'r1',
  bootId: 'boot',
  obeysIndex: 10,
  phase: 'running',
  armed: null,
  stopped: false,
  postgres: { pid: 4242, startedAt: '1', exit: null, inRecovery: true },
  receivingFrom: null,
  data: INITIALISED,
  progress: null,
  error: null,
};

export function runner(change: Partial<RunnerReport> = {}): Fact<RunnerReport> {
  return known({ ...RUNNING, ...change });
}

export function stoppedRunner(change: Partial<RunnerReport> = {}): Fact<RunnerReport> {
  return runner({
    phase: 'stopped',
    stopped: true,
    postgres: { pid: null, startedAt: null, exit: null, inRecovery: null },
    ...change,
  });
}

/** To make data of term 5 follow `c`, Master of term 6. */
export function rejoin(change: Partial<RejoinInstruction> = {}): RejoinInstruction {
  return {
    kind: 'rejoin',
    upstream: { ...address('c'), term: 6 },
    how: 'examine',
    dataTerm: 5,
    forkLsn: '0/5000080',
    leftTimeline: 1,
    timelines: [2],
    mayLose: false,
    why: 'test',
    ...change,
  };
}

/** The runner fences by a deadline `inMs` from {@link NOW}. */
export function armed(term: number, index = 10, inMs = 2000): NonNullable<RunnerReport['armed']> {
  return { term, index, validUntil: String(BigInt(NOW + inMs) * 1_000_000n) };
}

export function vote(node: string, change: Partial<VoteAnswer> = {}): VoteAnswer {
  return {
    node,
    term: 6,
    granted: true,
    why: 'no newer term seen',
    dataTerm: 5,
    lsn: LSN,
    replayed: true,
    candidate: true,
    failoverPriority: 0,
    ...change,
  };
}

/** What a member has seen of Consul's memory that is no more than `b` has. */
export function seen(change: Partial<SeenByMember> = {}): SeenByMember {
  return { epoch: 0, term: 5, termNode: 'a', syncVersion: 0, modifyIndex: 100, wentBack: null, ...change };
}

export function syncValue(change: Partial<SyncValue> = {}): SyncValue {
  return { version: 3, term: 5, mode: 'quorum', k: 1, names: ['b', 'c'], previous: null, ...change };
}

/** Node `b`, a healthy Replica of `a`, which runs as Master of term 5. */
export function replica(change: Partial<Observation> = {}): Observation {
  return {
    now: NOW,
    startedAt: NOW - 60_000,
    chance: 0.5,
    self: address('b'),
    policy: POLICY,
    master: known({ entry: masterEntry(masterValue('a')) }),
    members: known({ members: [address('a'), address('b'), address('c')], modifyIndex: 50 }),
    initialize: known({ value: { node: 'a', systemId: SYSTEM_ID }, modifyIndex: 10, session: null }),
    history: known({ promotions: [] }),
    epoch: known({ number: 0 }),
    sync: known({ value: null, isReadable: true }),
    override: null,
    paused: false,
    rejoinAllowed: false,
    masterSeenRunningAt: NOW - 100,
    hold: null,
    resuming: false,
    acquiring: false,
    holdsInitialize: false,
    disk: {
      highestTerm: 5,
      highestTermNode: null,
      epoch: 0,
      highestModifyIndex: 100,
      dataTerm: 5,
      ledTerm: null,
      led: [],
      deadMaster: false,
      rejoining: null,
      promisedUntil: Number.NEGATIVE_INFINITY,
      highestSyncVersion: 0,
      admittedTerm: null,
    },
    postgres: standby(),
    runner: runner({ receivingFrom: 'a' }),
    votes: null,
    votedTerm: 0,
    published: {
      instruction: { kind: 'follow', upstream: { ...address('a'), term: 5 } },
      instructionIndex: 10,
      since: NOW - 50_000,
    },
    ownKillAt: null,
    lastFailsafeAskAt: null,
    reachableReplicas: [],
    goneMembers: [],
    eligibleReplicas: null,
    checkpointAt: null,
    slots: unknown('not a Master'),
    clockJumped: false,
    inFlight: new Set(),
    ...change,
  };
}

/** `b` holds the lock of term 6, has the votes, and its runner is armed: only `pg_promote` is left. */
export function readyToPromote(change: Partial<Observation> = {}): Observation {
  return replica({
    master: known({ entry: masterEntry(masterValue('b', { term: 6, phase: 'waiting', last: lastMaster('a') })) }),
    hold: hold(),
    disk: { ...replica().disk, highestTerm: 6 },
    postgres: standby({ receiver: null }),
    runner: runner({ armed: armed(6) }),
    votes: { term: 6, startedAt: NOW - 50, complete: true, answers: [vote('c')] },
    published: { instruction: { kind: 'lead', term: 6 }, instructionIndex: 10, since: NOW - 40 },
    ...change,
  });
}

/** `b` runs as Master of term 6. */
export function runningMaster(change: Partial<Observation> = {}): Observation {
  return readyToPromote({
    master: known({ entry: masterEntry(masterValue('b', { term: 6, last: lastMaster('a') })) }),
    hold: hold({ phase: 'running' }),
    disk: { ...replica().disk, highestTerm: 6, dataTerm: 6, ledTerm: 6 },
    postgres: writable(),
    ...change,
  });
}
