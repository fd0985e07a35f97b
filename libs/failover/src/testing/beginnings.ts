import { parseLsn } from '@ha-postgres/lsn';
import type { Observation } from '../observation';
import { standbyNames } from '../sync-set';
import { NOTHING_REMEMBERED, type Ending, type Memory } from '../outcome';
import {
  EMPTY,
  INITIALISED,
  NOW,
  SYSTEM_ID,
  dead,
  hold,
  known,
  lastMaster,
  masterEntry,
  masterValue,
  readyToPromote,
  rejoin,
  replica,
  runner,
  runningMaster,
  standby,
  stoppedRunner,
  syncValue,
  unknown,
} from './observations';

/** The places that a random situation is a few facts away from: each rule is the answer near one of them. */

const ENDING: Ending = {
  why: 'test',
  since: NOW - 50,
  mode: 'immediate',
  cleanUntil: NOW + 2200,
  successor: null,
  standBackMs: 1000,
  stops: true,
};

function begin(o: Observation, memory: Partial<Memory> = {}): { o: Observation; memory: Memory } {
  return { o, memory: { ...NOTHING_REMEMBERED, ...memory } };
}

const free = (change: Parameters<typeof masterValue>[1] = {}) =>
  known({ entry: masterEntry(masterValue('a', { released: true, ...change }), { session: null }) });

/** A Master whose PostgreSQL was stopped as it was told to. */
function stopped(change: Partial<Observation> = {}): Observation {
  return runningMaster({
    postgres: dead(),
    runner: stoppedRunner(),
    published: { instruction: { kind: 'stop', mode: 'immediate', why: 'test' }, instructionIndex: 10, since: NOW - 50 },
    ...change,
  });
}

/** Nothing anywhere: a node before the first bootstrap. */
function nothingYet(change: Partial<Observation> = {}): Observation {
  return replica({
    master: known({ entry: null }),
    members: unknown(),
    initialize: known({ value: null, modifyIndex: null, session: null }),
    disk: { ...replica().disk, highestTerm: 0, highestModifyIndex: 0, dataTerm: 0 },
    postgres: dead({ lsn: null }),
    runner: stoppedRunner({ data: EMPTY }),
    ...change,
  });
}

const FRESH = stoppedRunner({ data: { ...INITIALISED, fresh: true } });

/** The creator of a cluster in which no Master has run yet. */
function creator(change: Partial<Observation> = {}): Observation {
  const value = masterValue('b', { term: 1, phase: 'waiting' });
  return replica({
    master: known({ entry: masterEntry(value, { session: null }) }),
    disk: { ...replica().disk, highestTerm: 1, dataTerm: 1 },
    postgres: dead({ lsn: null }),
    runner: FRESH,
    ...change,
  });
}

/** `c` runs as Master of term 6; this node receives from nobody. */
function newMaster(change: Partial<Observation> = {}): Observation {
  const grew = { timeline: 2, node: 'c', from: 'a', why: 'test', at: '', tookMs: 1 };
  return replica({
    master: known({ entry: masterEntry(masterValue('c', { term: 6, timeline: 2 })) }),
    history: known({ promotions: [{ ...grew, term: 6, parentTerm: 5, forkLsn: '0/5000080' }] }),
    postgres: standby({ receiver: null }),
    runner: runner({ receivingFrom: null }),
    published: { instruction: { kind: 'follow', upstream: null }, instructionIndex: 10, since: NOW - 2000 },
    ...change,
  });
}

const FAST_STOP: Observation['published'] = {
  instruction: { kind: 'stop', mode: 'fast', why: 'test' },
  instructionIndex: 11,
  since: NOW - 500,
};

const REJOINS: Observation['published'] = { instruction: rejoin(), instructionIndex: 10, since: NOW - 50 };

/** This node is making its data follow `c`. */
function rejoining(change: Partial<Observation> = {}): Observation {
  return newMaster({
    disk: { ...replica().disk, rejoining: 6 },
    postgres: dead({ lsn: null }),
    runner: stoppedRunner({ phase: 'rejoining', stopped: false }),
    published: REJOINS,
    ...change,
  });
}

const DEAD_MASTER = { ...replica().disk, ledTerm: 5, deadMaster: true };
const UNREADABLE = {
  data: { ...EMPTY, state: 'unusable' as const },
  error: { code: 'HAPG_DATA_UNREADABLE', message: 'test' },
};

/** `b` runs as Master of term 6 and is asked to hand over. */
function asked(to: string | null = null, change: Partial<Observation> = {}): Observation {
  const request = { value: { id: 's1', from: 'b', to }, modifyIndex: 120 };
  return runningMaster({ switchover: { request, look: null, drainedFor: null }, ...change });
}

const LOOKED: NonNullable<Observation['switchover']> = {
  request: { value: { id: 's1', from: 'b', to: null }, modifyIndex: 120 },
  look: {
    id: 's1',
    targets: [{ node: 'c', streaming: true, able: true, why: 'healthy', lagBytes: 0, failoverPriority: 0 }],
    firstAt: NOW - 3500,
    at: NOW - 300,
  },
  drainedFor: null,
};

/** It has accepted to hand over to `c`. */
function draining(change: Partial<Observation> = {}): Observation {
  const switchover = { id: 's1', term: 6, state: 'draining', successor: 'c', why: 'asked for' } as const;
  return runningMaster({
    switchover: LOOKED,
    hold: hold({ phase: 'draining' }),
    disk: { ...runningMaster().disk, switchover },
    ...change,
  });
}

/** `b` leads on behalf of a switchover of `a`, which stopped cleanly where this node's data ends. */
function succeeding(change: Partial<Observation> = {}): Observation {
  const switchover = { id: 's1', successor: 'b' };
  return readyToPromote({ hold: hold({ last: lastMaster('a', { lsnExact: true, switchover }) }), ...change });
}

/** `b` handed over to `c`, which runs as Master of term 6. */
function handedOver(change: Partial<Observation> = {}): Observation {
  const cleanStop = { term: 5, lsn: parseLsn('0/5000000') };
  return newMaster({
    disk: { ...replica().disk, ledTerm: 5, cleanStop },
    postgres: dead({ lsn: null }),
    runner: stoppedRunner(),
    published: { instruction: { kind: 'wait' }, instructionIndex: 10, since: NOW - 500 },
    ...change,
  });
}

const claimed = (systemId: string | null) =>
  known({ value: { node: 'b', systemId }, modifyIndex: 10, session: 'creator' });

export const BEGINNINGS = [
  begin(replica()),
  begin(replica({ master: free() })),
  begin(replica({ master: free({ successor: 'c' }) })),
  begin(replica({ master: free({ released: false }), masterSeenRunningAt: null, startedAt: NOW - 1000 })),
  begin(replica({ master: known({ entry: masterEntry(masterValue('a'), { firstSeenAt: NOW - 4000 }) }) })),
  begin(
    replica({
      master: known({ entry: masterEntry(masterValue('a'), { firstSeenAt: NOW - 4000, confirmedSentAt: NOW }) }),
    }),
  ),
  // A read that was sent before the lease was over proves nothing.
  begin(
    replica({
      master: known({ entry: masterEntry(masterValue('a'), { firstSeenAt: NOW - 4000, confirmedSentAt: NOW - 1000 }) }),
    }),
  ),
  begin(replica({ master: unknown(), published: null })),
  begin(replica({ master: free(), postgres: dead(), runner: stoppedRunner() }), { standBackUntil: NOW + 500 }),
  begin(replica({ master: free() }), { standBackUntil: NOW + 500 }),
  begin(newMaster()),
  begin(newMaster({ postgres: standby({ receiver: null, lsn: null }) })),
  begin(newMaster({ disk: { ...replica().disk, dataTerm: 4 } })),
  begin(rejoining()),
  begin(rejoining({ published: null, master: unknown() })),
  begin(rejoining({ runner: stoppedRunner({ rejoined: { term: 6, how: 'ancestor' } }) })),
  begin(
    rejoining({
      disk: DEAD_MASTER,
      postgres: standby({ receiver: { host: 'c.local', port: 5432, timeline: 2, streaming: true } }),
      runner: runner({ rejoined: { term: 6, how: 'rewound' }, receivingFrom: 'c' }),
    }),
  ),
  begin(rejoining({ disk: DEAD_MASTER, paused: true, published: null, runner: stoppedRunner() })),
  begin(rejoining({ master: free() })),
  begin(newMaster({ runner: stoppedRunner(UNREADABLE), postgres: dead({ lsn: null }) })),
  begin(
    newMaster({ disk: { ...replica().disk, dataTerm: 6 }, runner: runner({ walGone: 'gone', receivingFrom: 'c' }) }),
  ),
  begin(readyToPromote()),
  begin(readyToPromote({ votes: { term: 6, startedAt: NOW - 160, complete: true, answers: [] } })),
  begin(readyToPromote({ hold: hold({ acquiredAt: NOW - 22_001 }) })),
  begin(readyToPromote({ hold: hold({ last: lastMaster('a', { lsn: '0/5200000' }) }) })),
  begin(
    readyToPromote({ disk: { ...replica().disk, highestTerm: 6, ledTerm: 6 }, postgres: runningMaster().postgres }),
  ),
  begin(runningMaster()),
  begin(runningMaster({ slots: known([{ name: 'ha_5_a', lost: false }]) })),
  begin(runningMaster({ hold: hold({ phase: 'running', unansweredSince: NOW - 400 }) })),
  begin(asked()),
  begin(asked('c', { switchover: { ...LOOKED, look: null } })),
  begin(asked(null, { switchover: LOOKED })),
  begin(asked(null, { paused: true })),
  begin(draining()),
  begin(draining({ switchover: { ...LOOKED, drainedFor: 's1' } })),
  begin(draining({ published: FAST_STOP }), { ending: { ...ENDING, mode: 'fast' } }),
  begin(draining({ published: FAST_STOP }), { ending: { ...ENDING, mode: 'fast', cleanUntil: NOW - 10 } }),
  begin(succeeding()),
  begin(handedOver()),
  begin(stopped(), { ending: ENDING }),
  begin(stopped({ hold: hold({ phase: 'running', lost: true }) }), { ending: ENDING }),
  begin(stopped({ hold: null }), { ending: ENDING }),
  begin(nothingYet()),
  begin(nothingYet({ holdsInitialize: true, initialize: claimed(null), runner: FRESH })),
  begin(nothingYet({ initialize: claimed('7'), runner: FRESH })),
  begin(creator()),
  begin(creator({ initialize: known({ value: { node: 'b', systemId: SYSTEM_ID }, modifyIndex: 10, session: null }) })),
  begin(replica({ disk: { ...replica().disk, ledTerm: 4 } })),
  begin(synchronous(readyToPromote(), syncValue({ term: 6, names: ['c'], previous: syncValue() }))),
  begin(synchronous(readyToPromote(), syncValue())),
  begin(synchronous(readyToPromote({ hold: hold({ acquiredAt: NOW - 3000 }) }), syncValue())),
  begin({ ...synchronous(readyToPromote(), syncValue()), votes: votesAskedAt(NOW - 300) }),
  begin({
    ...synchronous(readyToPromote({ hold: hold({ acquiredAt: NOW - 5000 }) }), syncValue()),
    votes: votesAskedAt(NOW - 300),
  }),
  begin({ ...synchronous(readyToPromote()), sync: known({ value: syncValue(), isReadable: true }, NOW - 10_000) }),
  begin({ ...synchronous(runningMaster()), sync: known({ value: null, isReadable: false }) }),
  begin(synchronous(runningMaster())),
  begin(synchronous(runningMaster(), syncValue({ term: 6, names: ['a', 'c'], previous: syncValue() }))),
  begin(synchronous(runningMaster({ hold: hold({ phase: 'running', last: lastMaster('b') }) }))),
  begin(
    rejoining({
      ...{ disk: DEAD_MASTER, master: free(), runner: stoppedRunner(), published: null },
      override: { id: 'o1', node: 'b', afterTerm: 5, by: 'test', why: 'test' },
    }),
  ),
  begin(altered()),
  begin(altered(), { altered: { version: 3, readAt: NOW - 2000 } }),
];

/** Somebody has let commits wait for nobody, by ALTER SYSTEM. */
function altered(): Observation {
  const o = synchronous(runningMaster());
  const written = o.postgres.synchronousStandbyNames ?? '';
  return {
    ...o,
    postgres: { ...o.postgres, synchronousStandbyNames: '' },
    runner: runner({ ...(o.runner.known ? o.runner.value : {}), synchronousStandbyNames: written }),
  };
}

/** With a quorum of one of `a` and `c`; `value`: the key, if it is not this hold's own. */
function synchronous(o: Observation, value = syncValue({ term: 6, names: ['a', 'c'] })): Observation {
  const senders = ['a', 'c'].map((name, i) => ({
    ...{ pid: 11 + i, name, streaming: true, priority: 1, flushed: o.postgres.lsn },
  }));
  return {
    ...o,
    policy: { ...o.policy, sync: { mode: 'quorum', k: 1, durability: 'strict' } },
    sync: known({ value, isReadable: true }),
    disk: { ...o.disk, highestSyncVersion: 3 },
    postgres: { ...o.postgres, synchronousStandbyNames: standbyNames(value), senders },
    eligibleReplicas: ['a', 'c'],
  };
}

function votesAskedAt(askedAt: number): Observation['votes'] {
  return { term: 6, startedAt: NOW - 1000, askedAt, complete: true, answers: [] };
}
