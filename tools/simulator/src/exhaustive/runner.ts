import type { RoleAnswer, RunnerInstruction, RunnerReport } from '@ha-postgres/cluster-state';
import { millisToNanosText } from '@ha-postgres/service-kit';
import {
  NEW_MEMORY,
  accept,
  endedUnasked,
  hold,
  isDeadlinePassed,
  plan,
  type Facts,
  type Memory,
  type Step,
} from '@ha-postgres/postgres-runner/runner';
import type { Instruction, Name, Node, Runner } from './state';
import { NOW, toMillis, toTicks } from './times';
import type { Millis } from '@ha-postgres/failover';
import { LSN, SYSTEM_ID } from './values';

/** The runner: its real rules and memory, over a PostgreSQL that is one word. */

const BOOT = 'boot';

/** As the controller says it; also what the real rules are told. */
export function instructionOf(instruction: Instruction): RunnerInstruction {
  switch (instruction.kind) {
    case 'lead':
      return { kind: 'lead', term: instruction.term };
    case 'stop':
      return { kind: 'stop', mode: instruction.mode, why: '' };
    case 'follow':
      return { kind: 'follow', upstream: null };
    case 'wait':
      return { kind: 'wait' };
    case 'blocked':
      return { kind: 'blocked', why: '' };
  }
}

function answerOf(name: Name, { index, instruction, validUntil }: NonNullable<Runner['answer']>): RoleAnswer {
  return {
    ...{ index, bootId: BOOT, node: name, term: 0, master: null },
    role: instruction.kind === 'lead' ? 'Master' : 'Replica',
    validUntil: millisToNanosText(validUntil === null ? NOW : toMillis(validUntil)),
    instruction: instructionOf(instruction),
  };
}

function memoryOf(name: Name, { answer, armed, holdIndex, diedInTerm }: Runner): Memory {
  return {
    ...NEW_MEMORY,
    answer: answer === null ? null : answerOf(name, answer),
    armed: armed === null ? null : { ...armed, validUntil: millisToNanosText(toMillis(armed.validUntil)) },
    ...{ holdIndex, diedInTerm },
  };
}

function keep(runner: Runner, { armed, holdIndex, diedInTerm }: Memory): void {
  const until = armed === null ? null : toTicks(Number(BigInt(armed.validUntil)) / 1e6);
  runner.armed = armed === null ? null : { index: armed.index, term: armed.term, validUntil: until ?? 0 };
  Object.assign(runner, { holdIndex, diedInTerm });
}

function factsOf(name: Name, runner: Runner, now: Millis): Facts {
  return {
    now,
    memory: memoryOf(name, runner),
    ...{ exiting: false, killing: false, task: null, rejoin: null, divergence: null, retryAt: 0 },
    postgres:
      runner.postgres === 'stopped'
        ? null
        : { ready: true, inRecovery: runner.postgres !== 'writable', upstream: null, walGone: false },
    settings: { synchronousStandbyNames: '', admits: 'everyone' },
    data: { state: 'initialised', fresh: false, problem: null },
  };
}

/** Plans and acts until there is nothing more to do. Killing takes no time: how long it may take is in when it must have begun. */
export function wake(name: Name, runner: Runner, now: Millis = NOW): Step {
  for (let steps = 0; steps < 10; steps += 1) {
    const { step } = plan(factsOf(name, runner, now));
    if (step.kind === 'rest' || step.kind === 'carryOn') return step;
    act(name, runner, step);
  }
  throw new Error(`the plan of ${name}'s runner does not come to rest`);
}

function act(name: Name, runner: Runner, step: Step): void {
  switch (step.kind) {
    case 'kill':
      runner.postgres = 'stopped';
      if (step.hold) keep(runner, hold(memoryOf(name, runner)));
      return;
    case 'start':
      runner.postgres = 'standby';
      return;
    default:
      throw new Error(`the runner of ${name} does what this model has no word for: ${step.kind}`);
  }
}

/** Takes up the newest answer of its controller, if it has not yet. */
export function obey(name: Name, node: Node): void {
  const { runner, controller } = node;
  const said = controller?.published ?? null;
  if (said === null || said.index === runner.answer?.index) return;
  // After a freeze the answer may have been waiting: the old deadline comes first.
  if (isPast(name, runner)) wake(name, runner);
  const { index, instruction, validUntil } = said;
  runner.answer = { index, instruction, validUntil };
  keep(runner, accept(memoryOf(name, runner), answerOf(name, runner.answer)));
  wake(name, runner);
}

/** The deadline has passed at `now`: it must fence, by its own clock. */
export function isPast(name: Name, runner: Runner, now: Millis = NOW): boolean {
  return isDeadlinePassed(memoryOf(name, runner), now);
}

/** PostgreSQL ends without being asked to. */
export function postgresDies(name: Name, runner: Runner): void {
  runner.postgres = 'stopped';
  keep(runner, endedUnasked(memoryOf(name, runner)));
  wake(name, runner);
}

/** What it tells its controller; always the truth of this moment. */
export function reportOf(name: Name, { runner }: Node): RunnerReport {
  const memory = memoryOf(name, runner);
  const { step } = plan(factsOf(name, runner, NOW));
  const isUp = runner.postgres !== 'stopped';
  return {
    ...{ incarnation: '', bootId: BOOT, obeysIndex: runner.answer?.index ?? 0 },
    phase: step.kind === 'rest' ? step.phase : 'running',
    armed: memory.armed,
    stopped: !isUp && step.kind === 'rest' && step.holds,
    postgres: { pid: isUp ? 1 : null, startedAt: null, exit: null, inRecovery: runner.postgres !== 'writable' },
    ...{ receivingFrom: null, progress: null, error: null },
    data: {
      ...{ state: 'initialised', systemId: SYSTEM_ID, fresh: false, timeline: 1 },
      ...{ cleanShutdown: false, checkpointLsn: LSN },
    },
  };
}
