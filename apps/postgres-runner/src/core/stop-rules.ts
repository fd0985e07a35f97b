import { isDeadlinePassed, isValidLead } from './memory';
import { pending, rest, type Facts, type Rule, type Step, type Task } from './facts';

/** Work that a stop ends: other than a clean stop it takes long, and other than half a wipe it can be taken up again. */
export function isAborted({ kind }: Task): boolean {
  return kind === 'initialise' || kind === 'clone' || kind === 'rejoin';
}

function isAnythingRunning({ postgres, task }: Facts): boolean {
  if (postgres !== null) return true;
  return task !== null && !task.ending && isAborted(task);
}

/** Asked for a clean stop, PostgreSQL may stay out of recovery until it has stopped, within the deadline it had. */
function isStoppingClean({ memory, exiting }: Facts): boolean {
  const instruction = memory.answer?.instruction;
  return memory.armed !== null && (exiting || (instruction?.kind === 'stop' && instruction.mode === 'fast'));
}

/** The first duty: by its own clock, whatever else is going on. */
export const aPassedDeadlineFences: Rule = (facts) =>
  isDeadlinePassed(facts.memory, facts.now)
    ? { kind: 'kill', hold: true, why: `validUntil ${facts.memory.armed?.validUntil ?? ''} has passed` }
    : null;

export const outOfRecoveryWithoutTheMasterRoleFences: Rule = (facts) => {
  const { postgres, memory, now } = facts;
  if (postgres === null || postgres.inRecovery || facts.killing) return null;
  if (memory.armed !== null && memory.answer !== null && isValidLead(memory.answer, now)) return null;
  if (isStoppingClean(facts)) return null;
  return { kind: 'kill', hold: true, why: 'PostgreSQL is out of recovery, but this node may not be Master' };
};

export const immediateStopKills: Rule = (facts) => {
  const instruction = facts.memory.answer?.instruction;
  if (instruction?.kind !== 'stop' || instruction.mode !== 'immediate') return null;
  if (isAnythingRunning(facts) && !facts.killing) return { kind: 'kill', hold: false, why: instruction.why };
  return facts.killing || facts.task !== null ? null : rest('stopped');
};

export const aDeadMasterIsStopped: Rule = (facts) => {
  const instruction = facts.memory.answer?.instruction;
  if (instruction?.kind !== 'blocked') return null;
  if (isAnythingRunning(facts) && !facts.killing) return { kind: 'kill', hold: false, why: instruction.why };
  return facts.killing || facts.task !== null ? null : rest('blocked');
};

export const nothingBeginsWhileProcessesAreLeft: Rule = ({ killing }) => (killing ? pending('stopping') : null);

/** A stop ends by itself within its bound, and half a wipe is of no use. */
export const someTasksAreLetEnd: Rule = ({ task }) => {
  if (task === null) return null;
  return task.ending || task.kind === 'stopFast' || task.kind === 'wipe' ? pending('stopping') : null;
};

function stopFast({ postgres, task }: Facts, why: string): Step | null {
  if (task !== null) return { kind: 'abort', why };
  return postgres === null ? null : { kind: 'begin', task: { kind: 'stopFast' } };
}

export const anEndingRunnerStopsPostgres: Rule = (facts) =>
  facts.exiting ? (stopFast(facts, 'the runner ends') ?? rest('exiting')) : null;

export const fastStopIsClean: Rule = (facts) => {
  const instruction = facts.memory.answer?.instruction;
  if (instruction?.kind !== 'stop') return null;
  return stopFast(facts, instruction.why) ?? rest('stopped');
};
