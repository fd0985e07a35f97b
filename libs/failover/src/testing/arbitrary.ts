import fc from 'fast-check';
import type { Phase, RunnerInstruction } from '@ha-postgres/cluster-state';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import type { Action } from '../actions';
import type { Hold, MasterEntry, Observation } from '../observation';
import type { Ending, Memory } from '../outcome';
import { BEGINNINGS } from './beginnings';
import {
  EMPTY,
  INITIALISED,
  NOW,
  POLICY,
  address,
  armed,
  dead,
  hold,
  known,
  lastMaster,
  masterEntry,
  masterValue,
  rejoin,
  runner,
  seen,
  standby,
  stoppedRunner,
  unknown,
  vote,
  writable,
} from './observations';

/** Random situations: an ordinary one in which some facts are replaced by others, also by ones that contradict each other. */

const node = fc.constantFrom('a', 'b', 'c');
const term = fc.integer({ min: 1, max: 8 });
const time = fc.integer({ min: -40_000, max: 40_000 }).map((offset) => NOW + offset);
const nearTime = fc.integer({ min: -4000, max: 4000 }).map((offset) => NOW + offset);
const lsn: fc.Arbitrary<Lsn> = fc.constantFrom('0/4FFFFFF', '0/5000000', '0/5000100', '0/5200000').map(parseLsn);
const phase = fc.constantFrom<Phase>('waiting', 'promoting', 'running', 'draining');
const last = fc.option(
  fc.tuple(node, term, lsn).map(([name, of, at]) => lastMaster(name, { term: of, lsn: formatLsn(at) })),
);

const upstream = fc.tuple(node, term).map(([name, of]) => ({ ...address(name), term: of }));
const instruction: fc.Arbitrary<RunnerInstruction> = fc.oneof(
  fc.constantFrom<RunnerInstruction>(
    { kind: 'wait' },
    { kind: 'follow', upstream: null },
    { kind: 'lead', term: 6 },
    { kind: 'stop', mode: 'immediate', why: 'test' },
    { kind: 'stop', mode: 'fast', why: 'test' },
    { kind: 'blocked', why: 'test' },
  ),
  upstream.map((to) => ({ kind: 'follow', upstream: to }) as const),
  fc
    .record({ upstream, how: fc.constantFrom('examine' as const, 'copy' as const), mayLose: fc.boolean() })
    .map((change) => rejoin(change)),
);

const entry: fc.Arbitrary<MasterEntry> = fc
  .record({
    name: node,
    of: term,
    phase,
    at: lsn,
    released: fc.boolean(),
    successor: fc.option(node),
    last,
    session: fc.constantFrom(null, 'session'),
    modifyIndex: fc.constantFrom(90, 100, 110),
    firstSeenAt: nearTime,
    confirmedSentAt: fc.option(nearTime),
    readable: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  })
  .map(({ name, of, at, released, successor, readable, ...rest }) =>
    masterEntry(
      readable
        ? masterValue(name, {
            term: of,
            phase: rest.phase,
            lsn: formatLsn(at),
            released,
            successor,
            last: rest.last,
          })
        : null,
      {
        session: rest.session,
        modifyIndex: rest.modifyIndex,
        firstSeenAt: rest.firstSeenAt,
        confirmedSentAt: rest.confirmedSentAt,
      },
    ),
  );

const anyHold: fc.Arbitrary<Hold> = fc
  .record({
    term: fc.constantFrom(6, 6, 7),
    phase,
    acquiredAt: time,
    endsAt: nearTime,
    lost: fc.boolean(),
    unansweredSince: fc.option(nearTime),
    waitUntil: fc.oneof(fc.constant(Number.NEGATIVE_INFINITY), nearTime),
    last,
  })
  .map((change) => hold(change));

const data = fc.constantFrom(
  INITIALISED,
  EMPTY,
  { ...INITIALISED, fresh: true },
  { ...INITIALISED, systemId: '7' },
  { ...EMPTY, state: 'unusable' as const },
  { ...EMPTY, state: 'unfinished' as const },
);

const anyRunner = fc
  .record({
    running: fc.boolean(),
    obeysIndex: fc.constantFrom(9, 10, 11),
    armedTerm: fc.constantFrom(6, 6, 7, null),
    deadlineIn: fc.constantFrom(2000, 0, -100),
    phase: fc.constantFrom('running' as const, 'stopped' as const, 'exiting' as const),
    receivingFrom: fc.option(node),
    data,
    rejoined: fc.option(
      fc.record({ term, how: fc.constantFrom('ancestor' as const, 'rewound' as const, 'copied' as const) }),
    ),
    walGone: fc.constantFrom(null, null, 'gone'),
    error: fc.constantFrom(null, { code: 'HAPG_DATA_UNREADABLE', message: 'test' }),
  })
  .map(({ running, armedTerm, deadlineIn, ...rest }) => {
    const change = { ...rest, armed: armedTerm === null ? null : armed(armedTerm, rest.obeysIndex, deadlineIn) };
    return running ? runner(change) : stoppedRunner(change);
  });

const promotions = fc.array(
  fc.tuple(term, term, lsn).map(([of, parentTerm, fork]) => ({
    term: of,
    parentTerm,
    timeline: 2,
    forkLsn: formatLsn(fork),
    node: 'a',
    from: null,
    why: 'test',
    at: '',
    tookMs: 1,
  })),
  { maxLength: 5 },
);

const disk = fc.record({
  highestTerm: fc.integer({ min: 0, max: 7 }),
  highestTermNode: fc.constantFrom(null, null, 'a', 'b', ''),
  highestModifyIndex: fc.constantFrom(0, 100),
  epoch: fc.constantFrom(0, 0, 1),
  dataTerm: fc.integer({ min: 0, max: 7 }),
  ledTerm: fc.option(term),
  led: fc.constantFrom([], [{ term: 6, parentTerm: 5 }]),
  deadMaster: fc.boolean(),
  rejoining: fc.option(term),
  promisedUntil: fc.oneof(fc.constant(Number.NEGATIVE_INFINITY), nearTime),
  highestSyncVersion: fc.constantFrom(0, 0, 3, 4),
  admittedTerm: fc.constantFrom(null, 6),
  switchover: fc.option(
    fc.record({
      id: fc.constantFrom('s1', 's0'),
      term: fc.constantFrom(5, 6),
      state: fc.constantFrom('refused' as const, 'draining' as const, 'released' as const),
      successor: fc.option(node),
      why: fc.constant('test'),
    }),
  ),
  cleanStop: fc.option(fc.record({ term, lsn })),
});

const target = fc.record({
  node,
  streaming: fc.boolean(),
  able: fc.boolean(),
  why: fc.constant('test'),
  lagBytes: fc.constantFrom(0, 100),
  failoverPriority: fc.constantFrom(0, 1),
});

const switchover = fc.record({
  request: fc.option(
    fc.record({
      value: fc.record({ id: fc.constantFrom('s1', 's2'), from: node, to: fc.option(node) }),
      modifyIndex: fc.constantFrom(0, 120),
    }),
  ),
  look: fc.option(
    fc.record({
      id: fc.constantFrom('s1', 's2'),
      targets: fc.uniqueArray(target, { selector: (one) => one.node }),
      firstAt: nearTime,
      at: nearTime,
    }),
  ),
  drainedFor: fc.constantFrom(null, 's1', 's2'),
});

const anyRule = fc.record({
  mode: fc.constantFrom('async' as const, 'sync' as const, 'quorum' as const),
  k: fc.constantFrom(0, 1, 1, 2),
  names: fc.subarray(['a', 'b', 'c']),
});

const anySync = fc
  .record({ rule: anyRule, version: fc.constantFrom(3, 4), term: fc.constantFrom(5, 6), previous: fc.option(anyRule) })
  .map(({ rule, ...rest }) => ({ ...rest, ...rule }));

const votes = fc
  .record({
    of: fc.constantFrom(6, 7),
    startedAt: nearTime,
    complete: fc.boolean(),
    at: lsn,
    candidate: fc.boolean(),
    dataTerm: fc.constantFrom(5, 5, 5, 6),
    seen: fc.constantFrom(undefined, undefined, seen({ term: 6, termNode: null }), seen({ term: 8 })),
    voted: fc.constantFrom(true, true, true, false),
  })
  .map(({ of, startedAt, complete, at, candidate, dataTerm, seen: more, voted }) => ({
    term: of,
    startedAt,
    complete,
    answers: voted
      ? [vote('c', { lsn: formatLsn(at), candidate, dataTerm, ...(more === undefined ? {} : { seen: more }) })]
      : [],
  }));

/** One fact of an observation and what may stand in its place. */
const facts: { readonly [K in keyof Observation]?: fc.Arbitrary<Observation[K]> } = {
  startedAt: time,
  policy: fc
    .record({
      tags: fc.record({ noFailover: fc.boolean(), failoverPriority: fc.integer({ min: 0, max: 1 }) }),
      rejoin: fc.constantFrom('safe' as const, 'always' as const, 'never' as const),
      sync: fc.record({
        mode: fc.constantFrom('async' as const, 'sync' as const, 'quorum' as const),
        k: fc.constantFrom(1, 2),
        durability: fc.constantFrom('strict' as const, 'available' as const),
      }),
    })
    .map((change) => ({ ...POLICY, ...change })),
  master: fc.oneof(
    { weight: 8, arbitrary: entry.map((one) => known({ entry: one })) },
    { weight: 1, arbitrary: fc.constant(known({ entry: null })) },
    { weight: 1, arbitrary: fc.constant(unknown<{ entry: null }>()) },
  ),
  members: fc.oneof(
    fc.constant(unknown<never>()),
    fc.subarray(['a', 'b', 'c']).map((names) => known({ members: names.map(address), modifyIndex: 50 })),
    fc.constant(known({ members: [address('b')], modifyIndex: 105 })),
  ),
  initialize: fc.oneof(
    fc.constant(unknown<never>()),
    fc
      .record({
        systemId: fc.constantFrom(null, '7', '7000000000000000001'),
        session: fc.constantFrom(null, 'creator'),
      })
      .map(({ systemId, session }) => known({ value: { node: 'a', systemId }, modifyIndex: 10, session })),
    fc.constant(known({ value: null, modifyIndex: null, session: null })),
  ),
  history: fc.oneof(
    fc.constant(unknown<never>()),
    fc.tuple(promotions, nearTime).map(([all, at]) => known({ promotions: all }, at)),
  ),
  epoch: fc.oneof(
    fc.constant(unknown<never>()),
    fc.integer({ min: 0, max: 1 }).map((number) => known({ number })),
  ),
  sync: fc.oneof(
    { weight: 1, arbitrary: fc.constant(unknown<never>()) },
    { weight: 1, arbitrary: nearTime.map((at) => known({ value: null, isReadable: false }, at)) },
    {
      weight: 8,
      arbitrary: fc.tuple(fc.option(anySync), nearTime).map(([value, at]) => known({ value, isReadable: true }, at)),
    },
  ),
  override: fc.option(
    fc.tuple(node, term).map(([name, afterTerm]) => ({ id: '1', node: name, afterTerm, by: 'x', why: 'x' })),
  ),
  eligibleReplicas: fc.option(fc.subarray(['a', 'c'])),
  checkpointAt: fc.option(nearTime),
  paused: fc.boolean(),
  rejoinAllowed: fc.boolean(),
  slots: fc
    .subarray(['ha_6_a', 'ha_6_c', 'ha_5_a', 'mine'])
    .chain((names) => fc.tuple(fc.constant(names), fc.boolean()))
    .map(([names, lost]) => known(names.map((name) => ({ name, lost })))),
  masterSeenRunningAt: fc.option(time),
  hold: fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 2, arbitrary: anyHold }),
  resuming: fc.boolean(),
  acquiring: fc.boolean(),
  holdsInitialize: fc.boolean(),
  disk,
  postgres: fc.oneof(
    fc.tuple(lsn, fc.boolean()).map(([at, replayed]) => standby({ lsn: at, replayed, receiver: null })),
    fc.constant(standby({ lsn: null })),
    fc.constant(writable()),
    fc.constant(dead()),
  ),
  runner: fc.oneof({ weight: 1, arbitrary: fc.constant(unknown<never>()) }, { weight: 9, arbitrary: anyRunner }),
  votes: fc.option(votes),
  votedTerm: fc.integer({ min: 0, max: 7 }),
  published: fc.option(fc.record({ instruction, instructionIndex: fc.constantFrom(9, 10, 11), since: nearTime })),
  ownKillAt: fc.option(nearTime),
  lastFailsafeAskAt: fc.option(nearTime),
  switchover,
  reachableReplicas: fc.subarray(['a', 'c']).map((names) => names.map(address)),
  goneMembers: fc.subarray(['a', 'c']),
  clockJumped: fc.boolean(),
  inFlight: fc
    .subarray<Action['type']>(['acquire', 'promote', 'release', 'killPostgres'])
    .map((types) => new Set(types)),
};

const names = Object.keys(facts) as (keyof Observation)[];

const ending: fc.Arbitrary<Ending> = fc.record({
  why: fc.constant('test'),
  since: nearTime,
  mode: fc.constantFrom('fast' as const, 'immediate' as const),
  cleanUntil: nearTime,
  successor: fc.option(node),
  standBackMs: fc.constantFrom(0, 1000),
  stops: fc.boolean(),
});

export interface Situation {
  readonly o: Observation;
  readonly memory: Memory;
}

const anyMemory: fc.Arbitrary<Memory> = fc.record({
  ending: fc.option(ending),
  standBackUntil: fc.oneof(fc.constant(0), nearTime),
  passedOver: fc.subarray(['a', 'c']),
  upstream: fc.option(upstream),
  sync: fc.option(
    fc.record({
      version: fc.constantFrom(3, 4),
      seenAt: nearTime,
      oldSenders: fc.subarray([11, 12]),
      evidentAt: fc.option(nearTime),
      mark: fc.option(lsn),
    }),
  ),
});

/** Who holds the lock promises nothing, and a promise is waited out before it is taken (see `peers.spec.ts`, and "never acquires" in `decide.spec.ts`). */
function withoutPromise(o: Observation): Observation {
  return o.hold === null ? o : { ...o, disk: { ...o.disk, promisedUntil: Number.NEGATIVE_INFINITY } };
}

/** Now and then a memory that has nothing to do with the beginning. */
function rememberedIn(beginning: Situation): fc.Arbitrary<Memory> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(beginning.memory) }, { weight: 1, arbitrary: anyMemory });
}

export const anySituation: fc.Arbitrary<Situation> = fc
  .tuple(
    fc.constantFrom(...BEGINNINGS),
    fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
  )
  .chain(([beginning, changed, chance]) =>
    fc
      .tuple(
        fc.record(Object.fromEntries(changed.map((name) => [name, facts[name] as fc.Arbitrary<unknown>]))),
        rememberedIn(beginning),
      )
      .map(([change, memory]) => ({ o: withoutPromise({ ...beginning.o, chance, ...change }), memory })),
  );
