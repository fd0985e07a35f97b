import type { HistoryEntry, LbStatus, MasterValue, NodeAddress, NodeStatus } from '../values';
import type { RunnerReport, VoteAnswer } from '../wire';

/** One valid value of each kind, for tests. */

export const ADDRESS: NodeAddress = { node: 'pg-0', host: '10.0.0.1', port: 5432, apiPort: 8080 };

export const MASTER: MasterValue = {
  ...ADDRESS,
  term: 7,
  beat: 12,
  phase: 'running',
  timeline: 3,
  lsn: '16/B374D848',
  lsnExact: false,
  released: false,
  successor: null,
  last: { node: 'pg-1', term: 6, timeline: 2, lsn: '0/5000000' },
};

export const PROMOTION: HistoryEntry = {
  term: 7,
  parentTerm: 6,
  timeline: 3,
  forkLsn: '0/5000000',
  node: 'pg-0',
  from: null,
  why: 'took over from term 6',
  at: '2026-01-01T00:00:00.000Z',
  tookMs: 41.5,
};

export const STATUS: NodeStatus = {
  ...ADDRESS,
  role: 'Replica',
  rule: 'replicaFollowsTheRunningMaster',
  term: 0,
  dataTerm: 7,
  timeline: 3,
  lsn: '0/5000000',
  inRecovery: true,
  streaming: true,
  lagBytes: 0,
  postgresAlive: true,
  runnerPhase: 'running',
  takeover: { able: true, why: 'healthy' },
  tags: { noFailover: false, failoverPriority: 0 },
  lastError: null,
};

export const LB_STATUS: LbStatus = {
  name: 'lb-0',
  appliedIndex: 9,
  master: 'pg-0',
  holding: false,
  standbys: ['pg-1'],
};

export const REPORT: RunnerReport = {
  incarnation: 'f00',
  bootId: 'b007',
  obeysIndex: 4,
  phase: 'running',
  armed: { index: 4, term: 7, validUntil: '123456789012' },
  stopped: false,
  postgres: {
    pid: 42,
    startedAt: '1',
    exit: { code: null, signal: 'SIGKILL', at: '1', asked: false },
    inRecovery: false,
  },
  receivingFrom: null,
  data: {
    state: 'initialised',
    systemId: '7000000000000000001',
    fresh: false,
    timeline: 3,
    cleanShutdown: false,
    checkpointLsn: '0/5000000',
  },
  progress: { what: 'base backup', percent: 12.5 },
  error: null,
};

export const VOTE: VoteAnswer = {
  node: 'pg-1',
  term: 8,
  granted: true,
  why: 'no newer term seen',
  dataTerm: 7,
  lsn: '0/5000000',
  replayed: true,
  candidate: true,
  failoverPriority: 0,
};
