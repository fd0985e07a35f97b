import { clusterKeys, type HistoryEntry, type MasterValue, type NodeStatus } from '@ha-postgres/cluster-state';
import type { KvEntry } from '@ha-postgres/consul-election';
import { understand, type KeysSeen } from '../read/keys';
import type { Answer } from '../read/nodes';
import type { Reading } from '../read/reading';

export const KEYS = clusterKeys('service/postgres');

export const address = (node: string) => ({ node, host: `${node}.local`, port: 5432, apiPort: 8080 });

/** Node `node`, a Replica that streams and could take over. */
export function status(node: string, change: Partial<NodeStatus> = {}): NodeStatus {
  return {
    ...address(node),
    role: 'Replica',
    rule: 'replicaFollowsTheRunningMaster',
    term: 0,
    dataTerm: 4,
    timeline: 3,
    lsn: '0/5000000',
    inRecovery: true,
    streaming: true,
    lagBytes: 0,
    postgresAlive: true,
    runnerPhase: 'running',
    takeover: { able: true, why: 'healthy, and within the lag limit' },
    tags: { noFailover: false, failoverPriority: 0 },
    lastError: null,
    paused: false,
    systemId: '7000000000000000001',
    highestTerm: 4,
    consulWentBack: null,
    knownMembers: ['a', 'b', 'c'].map(address),
    ...change,
  };
}

type Answered = Extract<Answer, { kind: 'answered' }>;

/** What role-server of `node` answers. */
export function answered(node: string, change: Partial<NodeStatus> = {}, more: Partial<Answered> = {}): Answer {
  return {
    kind: 'answered',
    place: { name: node, host: `${node}.local`, apiPort: 8080 },
    status: status(node, change),
    ready: true,
    readyWhy: 'healthy',
    isValid: true,
    validWhy: '',
    instruction: 'follow',
    instructionWhy: null,
    ...more,
  };
}

export function silent(node: string): Answer {
  return { kind: 'silent', place: { name: node, host: `${node}.local`, apiPort: 8080 }, why: 'connection refused' };
}

export function masterValue(change: Partial<MasterValue> = {}): MasterValue {
  return {
    ...address('a'),
    term: 4,
    beat: 17,
    phase: 'running',
    timeline: 3,
    lsn: '0/5000100',
    lsnExact: false,
    released: false,
    successor: null,
    last: null,
    ...change,
  };
}

export const PROMOTION: HistoryEntry = {
  term: 4,
  parentTerm: 3,
  timeline: 3,
  forkLsn: '0/4000000',
  node: 'a',
  from: 'b',
  why: 'took over from term 3',
  at: '2026-01-02T03:04:05.678Z',
  tookMs: 123.4,
};

export function entry(key: string, value: unknown, change: Partial<KvEntry> = {}): KvEntry {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { key, value: text, modifyIndex: 100, createIndex: 1, lockIndex: 0, session: null, flags: 0, ...change };
}

/** What Consul holds of a healthy cluster with Master `a` and Replicas `b` and `c`. */
export function entries(change: { master?: Partial<MasterValue>; session?: string | null } = {}): KvEntry[] {
  const session = change.session === undefined ? 'session' : change.session;
  return [
    entry(KEYS.master, masterValue(change.master), { session }),
    entry(KEYS.initialize, { node: 'a', systemId: '7000000000000000001' }),
    entry(KEYS.members, { members: ['a', 'b', 'c'].map(address) }),
    entry(KEYS.history, { promotions: [PROMOTION] }),
    entry(KEYS.lbStatus('lb0'), {
      ...{ name: 'lb0', appliedIndex: 100, master: 'a', holding: false, standbys: ['b', 'c'] },
    }),
    ...['a', 'b', 'c'].map((node) => entry(KEYS.status(node), status(node))),
  ];
}

export const MASTER_ANSWER = answered(
  'a',
  { role: 'Master', lsn: '0/5000100', streaming: false, takeover: { able: false, why: 'is the Master' } },
  { instruction: 'lead' },
);

export function reading(change: Partial<Reading> & { readonly entries?: readonly KvEntry[] } = {}): Reading {
  const keys: KeysSeen = understand(KEYS, change.entries ?? entries());
  return {
    consulIsSilent: null,
    keys,
    answers: [MASTER_ANSWER, answered('b'), answered('c')],
    ...change,
  };
}
