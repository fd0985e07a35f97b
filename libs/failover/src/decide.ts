import type { RunnerInstruction } from '@ha-postgres/cluster-state';
import type { Action } from './actions';
import { candidateRules } from './candidate-rules';
import { deadMasterRules } from './dead-master-rules';
import { dutiesOf } from './duties';
import { endingRules } from './ending-rules';
import { followRules } from './follow-rules';
import { holderRules } from './holder-rules';
import { namedSuccessorRules } from './named-successor-rules';
import { promotedPostgresRules } from './promoted-postgres-rules';
import { rejoinRules } from './rejoin-rules';
import type { Observation } from './observation';
import { olderMemoryRules } from './older-memory-rules';
import { NOTHING_REMEMBERED, type Decision, type Memory, type Outcome, type Rule } from './outcome';
import { bootstrapRules } from './bootstrap-rules';
import { WAITS_FOR_EVER } from './sync-set';

/**
 * The policy: first match wins, so the order is part of it. What a node with a hold must end comes before what it may go on
 * with, that before what a node without one may begin; the last rule always answers.
 */
const RULES: Readonly<Record<string, Rule>> = {
  ...endingRules,
  ...olderMemoryRules,
  ...holderRules,
  ...promotedPostgresRules,
  ...namedSuccessorRules,
  ...deadMasterRules,
  ...rejoinRules,
  ...bootstrapRules,
  ...candidateRules,
  ...followRules,
};

// As objects: to take an entry apart as an array cost, sixty times a decision, more than the rules themselves.
const IN_ORDER = Object.entries(RULES).map(([rule, judge]) => ({ rule, judge }));

/** Names of all rules in order, for the report of which of them ever fired. */
export const RULE_NAMES: readonly string[] = Object.keys(RULES);

/**
 * Who may be Master, when to fence, promote, bootstrap and follow: a function of what is observed and of what was remembered,
 * without clock, chance or I/O of its own.
 */
export function decide(observation: Observation, memory: Memory = NOTHING_REMEMBERED): Decision {
  for (const { rule, judge } of IN_ORDER) {
    const outcome = judge(observation, memory);
    if (outcome !== null) return finish(rule, outcome, observation, memory);
  }
  throw new Error('unreachable: the last rule always answers');
}

/**
 * A standby of a synchronous cluster lets every commit wait, should it be promoted: the process that lets commits wait at all must
 * not be the last to hear of it.
 */
function withNames(instruction: RunnerInstruction, { policy }: Observation): RunnerInstruction {
  if (instruction.kind !== 'follow' || policy.sync.mode === 'async') return instruction;
  return { ...instruction, synchronousStandbyNames: WAITS_FOR_EVER };
}

function finish(rule: string, outcome: Outcome, o: Observation, memory: Memory): Decision {
  const notUnderWay = (action: Action) => !o.inFlight.has(action.type);
  return {
    rule,
    role: outcome.role,
    actions: [...(outcome.actions ?? []), ...dutiesOf(o)].filter(notUnderWay),
    instruction: outcome.instruction === null ? null : withNames(outcome.instruction, o),
    memory: { ...memory, ...outcome.memory },
    wakeAt: outcome.wakeAt ?? null,
  };
}
