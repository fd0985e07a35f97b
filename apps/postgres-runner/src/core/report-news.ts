import type { RoleAnswer, RunnerReport } from '@ha-postgres/cluster-state';

/**
 * The part of a report that is told at once when it changes; the rest goes with the next report, a second later at most.
 *
 * While this node leads, every answered beat brings an answer with a higher index and a later deadline, and nothing else. That the
 * runner has taken such a one up decides nothing: the controller asks whether the *instruction* is obeyed, and whether the runner is
 * armed for this term by an answer not older than that.
 */
export function newsOf(report: RunnerReport, answer: RoleAnswer | null): object {
  if (answer?.instruction.kind !== 'lead') return report;
  const { armed, obeysIndex } = report;
  return {
    ...report,
    instruction: answer.instruction,
    obeysIndex: obeysIndex >= answer.index,
    armed: armed === null ? null : { term: armed.term, isByThisAnswer: armed.index >= answer.index },
  };
}
