import { rest, type Facts, type Rule, type Step } from './facts';
import { rejoinMakesTheDataFollow } from './rejoin-rules';
import * as run from './run-rules';
import * as stop from './stop-rules';

/** The policy: the first rule that applies decides, danger first. */
export const RULES = {
  aPassedDeadlineFences: stop.aPassedDeadlineFences,
  outOfRecoveryWithoutTheMasterRoleFences: stop.outOfRecoveryWithoutTheMasterRoleFences,
  immediateStopKills: stop.immediateStopKills,
  aDeadMasterIsStopped: stop.aDeadMasterIsStopped,
  nothingBeginsWhileProcessesAreLeft: stop.nothingBeginsWhileProcessesAreLeft,
  someTasksAreLetEnd: stop.someTasksAreLetEnd,
  anEndingRunnerStopsPostgres: stop.anEndingRunnerStopsPostgres,
  fastStopIsClean: stop.fastStopIsClean,
  withoutADecisionNothingBegins: run.withoutADecisionNothingBegins,
  initialiseMakesACluster: run.initialiseMakesACluster,
  wipeRemovesOnlyWhatWasNeverUsed: run.wipeRemovesOnlyWhatWasNeverUsed,
  leadRunsUntilTheDeadline: run.leadRunsUntilTheDeadline,
  rejoinMakesTheDataFollow,
  followRunsAsStandby: run.followRunsAsStandby,
} satisfies Record<string, Rule>;

const IN_ORDER = Object.entries<Rule>(RULES);

export interface Plan {
  readonly rule: string;
  readonly step: Step;
}

/** What to do next, and the rule that says so. */
export function plan(facts: Facts): Plan {
  for (const [rule, decide] of IN_ORDER) {
    const step = decide(facts);
    if (step !== null) return { rule, step };
  }
  return { rule: 'nothingApplies', step: rest('waiting') };
}
