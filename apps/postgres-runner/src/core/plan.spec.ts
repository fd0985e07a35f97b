import type { RejoinInstruction, RoleAnswer, RunnerInstruction, Upstream } from '@ha-postgres/cluster-state';
import { millisToNanosText } from '@ha-postgres/service-kit';
import fc from 'fast-check';
import type { Facts, RejoinMark, Step, Task } from './facts';
import { accept, hold, isDeadlinePassed, isValidLead, NEW_MEMORY, type Memory } from './memory';
import { plan, RULES } from './plan';

const NOW = 1_000_000;
const upstream = (node: string): Upstream => ({ node, host: `${node}.local`, port: 5432, apiPort: 8080, term: 1 });

function answer(instruction: RunnerInstruction, more: Partial<RoleAnswer> = {}): RoleAnswer {
  return {
    index: 10,
    bootId: 'boot',
    node: 'a',
    role: instruction.kind === 'lead' ? 'Master' : 'Replica',
    validUntil: millisToNanosText(NOW + 1_000),
    term: 1,
    instruction,
    master: null,
    ...more,
  };
}

function facts(instruction: RunnerInstruction | null, more: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    memory: instruction === null ? NEW_MEMORY : accept(NEW_MEMORY, answer(instruction)),
    exiting: false,
    killing: false,
    task: null,
    postgres: null,
    settings: { synchronousStandbyNames: '', admits: 'everyone' },
    data: { state: 'initialised', fresh: false, problem: null },
    rejoin: null,
    divergence: null,
    retryAt: 0,
    ...more,
  };
}

const lead: Extract<RunnerInstruction, { kind: 'lead' }> = { kind: 'lead', term: 1 };
const follow: RunnerInstruction = { kind: 'follow', upstream: upstream('m') };
const rejoin = (change: Partial<RejoinInstruction> = {}): RejoinInstruction => ({
  kind: 'rejoin',
  upstream: upstream('m'),
  how: 'examine',
  dataTerm: 1,
  forkLsn: '0/5000000',
  leftTimeline: 1,
  timelines: [2],
  mayLose: false,
  why: '',
  ...change,
});
const master = { ready: true, inRecovery: false, upstream: null, walGone: false };
const standby = { ready: true, inRecovery: true, upstream: upstream('m'), walGone: false };
const throughLb: Upstream = { ...upstream('m'), via: [{ host: 'lb', port: 5434 }] };
const empty = { state: 'empty', fresh: false, problem: null } as const;
const fresh = { state: 'initialised', fresh: true, problem: null } as const;

describe('what the rules say', () => {
  const cases: [title: string, facts: Facts, step: Partial<Step>][] = [
    ['a Master within its deadline runs', facts(lead, { postgres: master }), { kind: 'rest', phase: 'running' }],
    [
      'past its deadline it is fenced',
      facts(lead, { postgres: master, now: NOW + 1_000 }),
      { kind: 'kill', hold: true },
    ],
    ['out of recovery as a Replica is fenced', facts(follow, { postgres: master }), { kind: 'kill', hold: true }],
    ['out of recovery without a word is fenced', facts(null, { postgres: master }), { kind: 'kill', hold: true }],
    ['a fresh cluster leads as what it is', facts(lead, { data: fresh }), { kind: 'start', as: 'itself' }],
    ['any other leads from standby mode', facts(lead), { kind: 'start', as: 'standby', upstream: null }],
    ['a candidate receives from nobody', facts(lead, { postgres: standby }), { kind: 'repoint', upstream: null }],
    ['a Replica starts in standby mode', facts(follow), { kind: 'start', as: 'standby', upstream: upstream('m') }],
    [
      'a Replica that is to stream by another way is told so',
      facts({ kind: 'follow', upstream: throughLb }, { postgres: standby }),
      { kind: 'repoint', upstream: throughLb },
    ],
    [
      'and rests when it does',
      facts({ kind: 'follow', upstream: throughLb }, { postgres: { ...standby, upstream: throughLb } }),
      { kind: 'rest', phase: 'running' },
    ],
    [
      'an empty Replica is cloned',
      facts(follow, { data: empty }),
      { kind: 'begin', task: { kind: 'clone', upstream: upstream('m') } },
    ],
    [
      'without an upstream it is not',
      facts({ kind: 'follow', upstream: null }, { data: empty }),
      { kind: 'rest', phase: 'waiting' },
    ],
    [
      'a new slot of the same upstream is used at once',
      facts({ kind: 'follow', upstream: { ...upstream('m'), slot: 'ha_1_a' } }, { postgres: standby }),
      { kind: 'repoint' },
    ],
    ['rejoining stops first', facts(rejoin(), { postgres: standby }), { kind: 'begin', task: { kind: 'stopFast' } }],
    ['then looks at the data', facts(rejoin()), { kind: 'begin', task: { kind: 'rejoin', instruction: rejoin() } }],
    [
      'a clone that is not wanted any more is ended for it',
      facts(rejoin(), { task: { kind: 'clone', upstream: upstream('m'), ending: false } }),
      { kind: 'abort' },
    ],
    ['rejoined as an ancestor it waits', facts(rejoin(), { rejoin: { term: 1, stage: 'ancestor' } }), { kind: 'rest' }],
    [
      'an ancestor that cannot catch up is copied',
      facts(rejoin({ how: 'copy' }), { rejoin: { term: 1, stage: 'ancestor' } }),
      { kind: 'begin', task: { kind: 'rejoin', instruction: rejoin({ how: 'copy' }) } },
    ],
    [
      'rewound data is started as a standby',
      facts(rejoin(), { rejoin: { term: 1, stage: 'rewound' } }),
      { kind: 'start', as: 'standby', upstream: upstream('m') },
    ],
    [
      'copied data is, whatever was wanted',
      facts(rejoin({ how: 'copy' }), { rejoin: { term: 1, stage: 'copied' } }),
      { kind: 'start', as: 'standby', upstream: upstream('m') },
    ],
    [
      'copied data whose WAL is gone by now is copied once more',
      facts(rejoin({ how: 'copy' }), {
        rejoin: { term: 1, stage: 'copied' },
        postgres: { ...standby, walGone: true },
      }),
      { kind: 'discardCopy' },
    ],
    [
      'so is what was rewound, and cannot be read any more',
      facts(rejoin(), {
        rejoin: { term: 1, stage: 'rewound' },
        data: { state: 'unusable', fresh: false, problem: { code: 'HAPG_DATA_UNREADABLE', message: '' } },
      }),
      { kind: 'discardCopy' },
    ],
    [
      'and until then it is of no use',
      facts(rejoin({ how: 'copy' }), {
        rejoin: { term: 1, stage: 'unfinished' },
        postgres: { ...standby, walGone: true },
      }),
      { kind: 'begin', task: { kind: 'stopFast' } },
    ],
    [
      'rewound data that was never proven is nothing to another Master',
      facts(rejoin(), { rejoin: { term: 2, stage: 'rewound' } }),
      { kind: 'begin', task: { kind: 'rejoin', instruction: rejoin() } },
    ],
    [
      'where commits would be lost it stays blocked',
      facts(rejoin(), { rejoin: { term: 1, stage: 'refused' } }),
      { kind: 'rest', phase: 'blocked', holds: true },
    ],
    [
      'until that is allowed',
      facts(rejoin({ mayLose: true }), { rejoin: { term: 1, stage: 'refused' } }),
      { kind: 'begin', task: { kind: 'rejoin', instruction: rejoin({ mayLose: true }) } },
    ],
    [
      'a DeadMaster that must wait gives a rejoin up',
      facts({ kind: 'blocked', why: '' }, { task: { kind: 'rejoin', instruction: rejoin(), ending: false } }),
      { kind: 'kill' },
    ],
    [
      'waiting leaves a standby alone',
      facts({ kind: 'wait' }, { postgres: standby }),
      { kind: 'rest', phase: 'running' },
    ],
    ['waiting starts nothing', facts({ kind: 'wait' }), { kind: 'rest', phase: 'waiting', holds: true }],
    ['a DeadMaster is killed', facts({ kind: 'blocked', why: '' }, { postgres: standby }), { kind: 'kill' }],
    ['and stays blocked', facts({ kind: 'blocked', why: '' }), { kind: 'rest', phase: 'blocked', holds: true }],
    ['initialise fills an empty directory', facts({ kind: 'initialise' }, { data: empty }), { kind: 'begin' }],
    ['and no other', facts({ kind: 'initialise' }), { kind: 'rest', holds: false }],
    ['wipe refuses used data', facts({ kind: 'wipe' }), { kind: 'rest', holds: false }],
    ['wipe removes a fresh cluster', facts({ kind: 'wipe' }, { data: fresh }), { kind: 'begin' }],
    ['what failed a moment ago waits', facts(follow, { retryAt: NOW + 1 }), { kind: 'rest', holds: false }],
    [
      'the settings of a Master stand before it starts',
      facts({ ...lead, synchronousStandbyNames: 'ANY 1 ("b")', admits: 'replication' }),
      { kind: 'configure', settings: { synchronousStandbyNames: 'ANY 1 ("b")', admits: 'replication' } },
    ],
    [
      'what a Master’s controller does not name stays, but the bar',
      facts(lead, { postgres: master, settings: { synchronousStandbyNames: 'ANY 1 ("b")', admits: 'replication' } }),
      { kind: 'configure', settings: { synchronousStandbyNames: 'ANY 1 ("b")', admits: 'everyone' } },
    ],
    [
      'a Replica has none of a Master’s settings',
      facts(follow, { postgres: standby, settings: { synchronousStandbyNames: 'ANY 1 ("b")', admits: 'everyone' } }),
      { kind: 'configure', settings: { synchronousStandbyNames: '', admits: 'everyone' } },
    ],
    [
      'a PostgreSQL that is starting is told later',
      facts(
        { ...lead, synchronousStandbyNames: 'ANY 1 ("b")' },
        { postgres: { ready: false, inRecovery: true, upstream: null, walGone: false } },
      ),
      { kind: 'rest', phase: 'starting' },
    ],
    ['an ending runner stops PostgreSQL clean', facts(lead, { postgres: master, exiting: true }), { kind: 'begin' }],
  ];
  test.each(cases)('%s', (_title, given, step) => {
    expect(plan(given).step).toMatchObject(step);
  });

  test('a clean stop of a Master keeps the deadline that it had', () => {
    const armed = accept(NEW_MEMORY, answer(lead));
    const stopping = answer(
      { kind: 'stop', mode: 'fast', why: '' },
      { index: 11, validUntil: millisToNanosText(NOW + 9e6) },
    );
    const given = facts(null, { memory: accept(armed, stopping), postgres: master });
    expect(plan(given).step).toMatchObject({ kind: 'begin', task: { kind: 'stopFast' } });
    expect(plan({ ...given, now: NOW + 1_000 }).step).toMatchObject({ kind: 'kill', hold: true });
  });

  test('a clone goes on through a vote, and ends for another upstream', () => {
    const task = { kind: 'clone', upstream: upstream('m'), ending: false } as const;
    expect(plan(facts({ kind: 'follow', upstream: null }, { data: empty, task })).step.kind).toBe('carryOn');
    expect(plan(facts({ kind: 'follow', upstream: upstream('n') }, { data: empty, task })).step.kind).toBe('abort');
  });
});

const anyUpstream = fc.constantFrom(upstream('m'), upstream('n'));
const anyNames = { synchronousStandbyNames: fc.constantFrom('', 'ANY 1 ("b")') };
const OPTIONAL_NAMES: { requiredKeys: ['kind', 'upstream'] } = { requiredKeys: ['kind', 'upstream'] };
const anyInstruction: fc.Arbitrary<RunnerInstruction> = fc.oneof(
  fc.constantFrom<RunnerInstruction>(
    { kind: 'wait' },
    { kind: 'initialise' },
    { kind: 'wipe' },
    { kind: 'blocked', why: '' },
  ),
  fc.record({ kind: fc.constant('follow' as const), upstream: fc.option(anyUpstream), ...anyNames }, OPTIONAL_NAMES),
  fc
    .record({
      upstream: anyUpstream,
      how: fc.constantFrom('examine' as const, 'copy' as const),
      mayLose: fc.boolean(),
    })
    .map((change) => rejoin(change)),
  fc.record(
    {
      kind: fc.constant('lead' as const),
      term: fc.integer({ min: 1, max: 2 }),
      ...anyNames,
      admits: fc.constantFrom('everyone' as const, 'replication' as const),
    },
    { requiredKeys: ['kind', 'term'] },
  ),
  fc.record({
    kind: fc.constant('stop' as const),
    mode: fc.constantFrom('fast' as const, 'immediate' as const),
    why: fc.constant(''),
  }),
);
const anyMoment = fc.constantFrom(NOW - 500, NOW, NOW + 500).map(millisToNanosText);
const anyAnswer = fc
  .tuple(anyInstruction, anyMoment, fc.integer({ min: 9, max: 12 }))
  .map(([instruction, validUntil, index]) => answer(instruction, { validUntil, index }));
const anyMemory: fc.Arbitrary<Memory> = fc
  .record({
    answers: fc.array(anyAnswer, { maxLength: 3 }),
    holdIndex: fc.constantFrom(-1, 10),
    diedInTerm: fc.constantFrom(null, 1),
  })
  .map(({ answers, ...more }) => answers.reduce(accept, { ...NEW_MEMORY, ...more }));
const anyTask: fc.Arbitrary<Task> = fc.oneof(
  fc.constantFrom<Task>({ kind: 'initialise' }, { kind: 'wipe' }, { kind: 'stopFast' }),
  anyUpstream.map((to): Task => ({ kind: 'clone', upstream: to })),
  anyUpstream.map((to): Task => ({ kind: 'rejoin', instruction: rejoin({ upstream: to }) })),
);
const anyProblem = fc.constantFrom(null, null, { code: 'HAPG_DATA_FOREIGN' as const, message: '' });
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  now: fc.constant(NOW),
  memory: anyMemory,
  exiting: fc.boolean(),
  killing: fc.boolean(),
  task: fc.option(fc.tuple(anyTask, fc.boolean()).map(([task, ending]) => ({ ...task, ending }))),
  postgres: fc.option(
    fc.record({
      ready: fc.boolean(),
      walGone: fc.boolean(),
      inRecovery: fc.boolean(),
      upstream: fc.option(anyUpstream),
    }),
  ),
  data: fc.record({
    state: fc.constantFrom('empty' as const, 'initialised' as const, 'unfinished' as const, 'unusable' as const),
    fresh: fc.boolean(),
    problem: anyProblem,
  }),
  settings: fc.record({
    synchronousStandbyNames: fc.constantFrom('', 'ANY 1 ("b")'),
    admits: fc.constantFrom('everyone' as const, 'replication' as const),
  }),
  rejoin: fc.option(
    fc.record({
      term: fc.constantFrom(1, 2),
      stage: fc.constantFrom<RejoinMark['stage']>('refused', 'unfinished', 'ancestor', 'rewound', 'copied'),
    }),
  ),
  divergence: fc.constant(null),
  retryAt: fc.constantFrom(0, NOW + 1),
});

const startsSomething = (step: Step) =>
  step.kind === 'start' || (step.kind === 'begin' && step.task.kind !== 'stopFast');

function never(what: (given: Facts, step: Step) => boolean): void {
  fc.assert(
    fc.property(anyFacts, (given) => !what(given, plan(given).step)),
    { numRuns: 3_000 },
  );
}

describe('what never happens', () => {
  test('a passed deadline that does not kill', () =>
    never(({ memory, now }, step) => isDeadlinePassed(memory, now) && !(step.kind === 'kill' && step.hold)));

  test('PostgreSQL left out of recovery without a valid Master answer, unless it is stopping within its deadline', () =>
    never(({ postgres, memory, now, killing, exiting }, step) => {
      if (postgres === null || postgres.inRecovery || killing) return false;
      const { armed, answer: newest } = memory;
      const stops = newest?.instruction.kind === 'stop' && newest.instruction.mode === 'fast';
      const mayRun = armed !== null && (exiting || stops || (newest !== null && isValidLead(newest, now)));
      return !mayRun && !(step.kind === 'kill' && step.hold);
    }));

  test('anything started while a process, a task or another PostgreSQL is there, or while the runner ends', () =>
    never(
      ({ killing, task, postgres, exiting }, step) =>
        startsSomething(step) && (killing || task !== null || postgres !== null || exiting),
    ));

  test('anything started against a stop, a block, or without a decision', () =>
    never(({ memory }, step) => {
      const kind = memory.answer?.instruction.kind;
      return startsSomething(step) && (kind === undefined || kind === 'wait' || kind === 'stop' || kind === 'blocked');
    }));

  test('anything started at an index that was fenced at, but what a bootstrap does', () =>
    never(({ memory }, step) => {
      const kind = memory.answer?.instruction.kind;
      const isHeld = (memory.answer?.index ?? -1) <= memory.holdIndex;
      return startsSomething(step) && isHeld && kind !== 'initialise' && kind !== 'wipe';
    }));

  test('a start without standby mode of anything but a fresh cluster with an acknowledged, valid Master role', () =>
    never(({ data, memory, now }, step) => {
      if (step.kind !== 'start' || step.as !== 'itself') return false;
      return !data.fresh || memory.armed === null || memory.answer === null || !isValidLead(memory.answer, now);
    }));

  test('used data wiped, or a new cluster made over data', () =>
    never(({ data }, step) => {
      if (step.kind !== 'begin') return false;
      if (step.task.kind === 'wipe') return !data.fresh && data.state !== 'unfinished';
      return step.task.kind === 'initialise' && data.state !== 'empty' && data.state !== 'unfinished';
    }));

  test('data started that an instruction to rejoin has not made to follow that very Master', () =>
    never(({ memory, rejoin: mark, data }, step) => {
      const instruction = memory.answer?.instruction;
      if (instruction?.kind !== 'rejoin' || step.kind !== 'start' || data.state !== 'initialised') return false;
      return mark?.term !== instruction.upstream.term || (mark.stage !== 'rewound' && mark.stage !== 'copied');
    }));

  test('commits given up without leave', () =>
    never(({ memory, rejoin: mark }, step) => {
      const instruction = memory.answer?.instruction;
      if (instruction?.kind !== 'rejoin' || instruction.mayLose || instruction.how === 'copy') return false;
      const isRefused = mark?.stage === 'refused' && mark.term === instruction.upstream.term;
      return isRefused && step.kind === 'begin' && step.task.kind === 'rejoin';
    }));

  test('data with a problem started', () => never(({ data }, step) => step.kind === 'start' && data.problem !== null));
});

function carriedOut(given: Facts, step: Step): Facts {
  switch (step.kind) {
    case 'kill': {
      const memory = step.hold ? hold(given.memory) : given.memory;
      return { ...given, memory, killing: true, task: given.task === null ? null : { ...given.task, ending: true } };
    }
    case 'abort':
      return { ...given, task: given.task === null ? null : { ...given.task, ending: true } };
    case 'begin':
      return { ...given, task: { ...step.task, ending: false } };
    case 'start':
      return { ...given, postgres: { ready: false, inRecovery: true, upstream: step.upstream, walGone: false } };
    case 'discardCopy':
      return { ...given, rejoin: given.rejoin === null ? null : { ...given.rejoin, stage: 'unfinished' } };
    case 'repoint':
      return { ...given, postgres: given.postgres === null ? null : { ...given.postgres, upstream: step.upstream } };
    case 'configure':
      return { ...given, settings: step.settings };
    case 'rest':
    case 'carryOn':
      return given;
  }
}

test('every plan comes to rest within a few steps, and every rule is reached', () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(anyFacts, (given) => {
      let current = given;
      for (let steps = 0; steps < 6; steps += 1) {
        const { rule, step } = plan(current);
        reached.add(rule);
        if (step.kind === 'rest' || step.kind === 'carryOn') return true;
        current = carriedOut(current, step);
      }
      return false;
    }),
    { numRuns: 3_000 },
  );
  expect([...reached].sort()).toEqual(Object.keys(RULES).sort());
});
