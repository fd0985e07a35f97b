/// <reference types="node" />
// The Master released the lock. What does node b, a healthy Replica, do now?
import { decide, type Fact, type Observation } from '@ha-postgres/failover';
import { parseLsn } from '@ha-postgres/lsn';

const now = Number(process.hrtime.bigint()) / 1e6;
const seen = <T>(value: T): Fact<T> => ({ known: true, value, seenAt: now });
const address = (node: string) => ({ node, host: `${node}.local`, port: 5432, apiPort: 8080 });
const systemId = '7412345678901234567';

const observation: Observation = {
  now,
  startedAt: now - 60_000,
  chance: Math.random(),
  self: address('b'),
  policy: {
    leaseDurationMs: 3000,
    driftMarginMs: 300,
    fenceTimeMs: 700,
    heartbeatIntervalMs: 500,
    unansweredLimitMs: 300,
    promoteTimeoutMs: 20_000,
    maximumLagOnFailoverBytes: 1024 * 1024,
    coldStartWaitMs: 30_000,
    secondFenceMs: 200,
    sync: { mode: 'async', k: 1, durability: 'strict' },
    tags: { noFailover: false, failoverPriority: 0 },
    rejoin: 'safe',
  },
  master: seen({
    entry: {
      value: {
        ...address('a'),
        ...{ term: 4, beat: 17, phase: 'draining', timeline: 3, lsn: '0/5000148', lsnExact: true },
        ...{ released: true, successor: null, last: null },
      },
      ...{ modifyIndex: 812, session: null, firstSeenAt: now, confirmedSentAt: null },
    },
  }),
  members: seen({ members: [address('a'), address('b')], modifyIndex: 640 }),
  initialize: seen({ value: { node: 'a', systemId }, modifyIndex: 12, session: null }),
  history: seen({ promotions: [] }),
  epoch: seen({ number: 0 }),
  ...{ sync: seen({ value: null, isReadable: true }), override: null },
  ...{ paused: false, rejoinAllowed: false },
  masterSeenRunningAt: now - 400,
  ...{ hold: null, resuming: false, acquiring: false, holdsInitialize: false },
  disk: {
    ...{ highestTerm: 4, highestTermNode: 'a', highestModifyIndex: 800, epoch: 0 },
    ...{ dataTerm: 4, ledTerm: null, led: [], deadMaster: false, rejoining: null },
    ...{ promisedUntil: Number.NEGATIVE_INFINITY, highestSyncVersion: 0, admittedTerm: null },
  },
  postgres: {
    ...{
      readAt: now,
      alive: true,
      failure: null,
      inRecovery: true,
      timeline: 3,
      lsn: parseLsn('0/5000148'),
      replayed: true,
    },
    ...{ receiver: null, streamingReplicas: [] },
  },
  runner: { known: false, why: 'not asked in this example' },
  slots: { known: false, why: 'not a Master' },
  ...{ votes: null, votedTerm: 0, published: null, ownKillAt: null, lastFailsafeAskAt: null },
  ...{ reachableReplicas: [], goneMembers: [], eligibleReplicas: null, checkpointAt: null },
  ...{ clockJumped: false, inFlight: new Set() },
};

const { rule, role, actions } = decide(observation);
process.stdout.write(`${rule}: ${role ?? 'no role yet'}, ${JSON.stringify(actions)}\n`);
