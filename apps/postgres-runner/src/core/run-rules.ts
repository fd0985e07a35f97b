import type { RunnerInstruction, RunnerPhase, Upstream } from '@ha-postgres/cluster-state';
import type { RunnerErrorCode } from '../errors';
import {
  isSameReception,
  isSameUpstream,
  rest,
  restUntilBetter,
  type Facts,
  type Problem,
  type Rule,
  type Step,
} from './facts';
import { configure } from './configure-rule';
import { isHeld, isValidLead } from './memory';

type InstructionOf<K extends RunnerInstruction['kind']> = Extract<RunnerInstruction, { kind: K }>;

export function asked<K extends RunnerInstruction['kind']>({ memory }: Facts, kind: K): InstructionOf<K> | null {
  const instruction = memory.answer?.instruction;
  return instruction?.kind === kind ? (instruction as InstructionOf<K>) : null;
}

function problem(code: RunnerErrorCode, message: string): Problem {
  return { code, message };
}

function runningPhase({ postgres }: Facts): RunnerPhase {
  return postgres?.ready === true ? 'running' : 'starting';
}

/** Begins work, unless it failed a moment ago. */
export function begin(facts: Facts, step: Extract<Step, { kind: 'begin' | 'start' }>): Step {
  return facts.now < facts.retryAt ? restUntilBetter('waiting', null) : step;
}

/** Without a decision what goes on may go on, and nothing is begun. */
export const withoutADecisionNothingBegins: Rule = (facts) => {
  if (facts.memory.answer !== null && asked(facts, 'wait') === null) return null;
  if (facts.task !== null) return { kind: 'carryOn' };
  return rest(facts.postgres === null ? 'waiting' : runningPhase(facts), facts.data.problem);
};

export const initialiseMakesACluster: Rule = (facts) => {
  if (asked(facts, 'initialise') === null) return null;
  if (facts.task !== null) {
    return facts.task.kind === 'initialise'
      ? { kind: 'carryOn' }
      : { kind: 'abort', why: 'a new cluster is wanted instead' };
  }
  if (facts.postgres !== null) {
    return rest(runningPhase(facts), problem('HAPG_DATA_NOT_EMPTY', 'asked to initialise while PostgreSQL runs'));
  }
  switch (facts.data.state) {
    case 'empty':
    case 'unfinished':
      return begin(facts, { kind: 'begin', task: { kind: 'initialise' } });
    case 'initialised':
    case 'unusable':
      if (facts.data.fresh) return rest('stopped');
      return restUntilBetter(
        'stopped',
        facts.data.problem ??
          problem('HAPG_DATA_NOT_EMPTY', 'asked to initialise, but the data directory is not empty'),
      );
  }
};

export const wipeRemovesOnlyWhatWasNeverUsed: Rule = (facts) => {
  if (asked(facts, 'wipe') === null) return null;
  if (facts.task !== null) return { kind: 'abort', why: 'the directory is to be wiped' };
  if (facts.data.state === 'empty') return rest('stopped');
  if (!facts.data.fresh && facts.data.state !== 'unfinished') {
    const why = 'asked to wipe a data directory that was not made by a bootstrap of this runner';
    return restUntilBetter(facts.postgres === null ? 'stopped' : runningPhase(facts), problem('HAPG_DATA_IN_USE', why));
  }
  if (facts.postgres !== null) return { kind: 'kill', hold: false, why: 'the directory is to be wiped' };
  return begin(facts, { kind: 'begin', task: { kind: 'wipe' } });
};

/** A Master's PostgreSQL is started in standby mode and then promoted, but for a cluster that was just made here. */
export const leadRunsUntilTheDeadline: Rule = (facts) => {
  const lead = asked(facts, 'lead');
  if (lead === null) return null;
  const { memory, postgres, data, task } = facts;
  if (task !== null) return { kind: 'abort', why: 'this node is to lead' };
  const configures = configure(lead, facts);
  if (configures !== null) return configures;
  if (postgres !== null) {
    // The candidate receives WAL from nobody.
    if (postgres.inRecovery && postgres.upstream !== null) return { kind: 'repoint', upstream: null };
    return rest(runningPhase(facts));
  }
  const mayStart =
    memory.armed !== null &&
    memory.answer !== null &&
    isValidLead(memory.answer, facts.now) &&
    !isHeld(memory) &&
    memory.diedInTerm !== lead.term;
  if (data.problem !== null) return restUntilBetter('stopped', data.problem);
  if (data.state !== 'initialised') {
    return restUntilBetter('stopped', problem('HAPG_DATA_EMPTY', `asked to lead term ${lead.term} without data`));
  }
  if (!mayStart) return rest('stopped');
  return begin(facts, { kind: 'start', as: data.fresh ? 'itself' : 'standby', upstream: null });
};

function clone(facts: Facts, upstream: Upstream | null): Step {
  if (upstream === null) return rest('waiting');
  return begin(facts, { kind: 'begin', task: { kind: 'clone', upstream } });
}

function carryOnCloning(facts: Facts, upstream: Upstream | null): Step | null {
  const { task } = facts;
  if (task === null) return null;
  // A vote clears the upstream for a moment: the backup is still one of this cluster.
  const isWanted = task.kind === 'clone' && (upstream === null || isSameUpstream(task.upstream, upstream));
  return isWanted ? { kind: 'carryOn' } : { kind: 'abort', why: 'another upstream is to be followed' };
}

export function follow(facts: Facts, upstream: Upstream | null): Step {
  const { postgres, data, memory } = facts;
  if (postgres !== null) {
    return isSameReception(postgres.upstream, upstream) ? rest(runningPhase(facts)) : { kind: 'repoint', upstream };
  }
  if (isHeld(memory)) return rest('stopped');
  if (data.problem !== null) return restUntilBetter('stopped', data.problem);
  if (data.fresh) {
    return restUntilBetter(
      'stopped',
      problem('HAPG_DATA_FRESH', 'asked to follow with a new database cluster of its own'),
    );
  }
  if (data.state !== 'initialised') return clone(facts, upstream);
  return begin(facts, { kind: 'start', as: 'standby', upstream });
}

export const followRunsAsStandby: Rule = (facts) => {
  const instruction = asked(facts, 'follow');
  if (instruction === null) return null;
  const { upstream } = instruction;
  return carryOnCloning(facts, upstream) ?? configure(instruction, facts) ?? follow(facts, upstream);
};
