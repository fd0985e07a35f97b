import type { Lsn } from '@ha-postgres/lsn';
import type { Action } from './actions';
import { ancestry, type Ancestry } from './ancestry';
import { isNamedSuccessor } from './named-successor-rules';
import type { Observation } from './observation';
import type { Rules } from './outcome';
import { ownTimelines } from './own-timelines';
import { BLOCKED, needsRejoin, roleOf } from './rejoin-rules';
import { lastMasterSeen } from './takeover';

/** A former Master is fenced until its data is known to be safe again. */
export const deadMasterRules: Rules = {
  emptiedDataIsForgotten: (o) =>
    (needsRejoin(o) || o.disk.ledTerm !== null) && o.runner.known && o.runner.value.data.state === 'empty'
      ? { role: roleOf(o), instruction: { kind: 'wait' }, actions: [{ type: 'forgetData' }] }
      : null,

  /** It stopped cleanly, and the new Master had received all: it follows as any Replica. */
  formerMasterThatHandedOverFollows: (o) => {
    const judged = needsRejoin(o) || isNamedSuccessor(o) ? null : judgeCleanStop(o);
    if (judged === null || judged.kind === 'diverged') return null;
    const actions: readonly Action[] = judged.kind === 'ancestor' ? [{ type: 'forgetLedTerm' }] : [];
    return { role: 'Replica', instruction: { kind: 'wait' }, actions };
  },

  formerMasterBecomesDeadMaster: (o) =>
    !o.disk.deadMaster && anotherRanAfter(o) && !isNamedSuccessor(o)
      ? { role: 'DeadMaster', instruction: BLOCKED, actions: [{ type: 'recordDeadMaster' }] }
      : null,
};

/** Null: no other node ran, or this one was not stopped cleanly at the end of the term that it led. */
function judgeCleanStop(o: Observation): Ancestry | null {
  const { cleanStop, ledTerm } = o.disk;
  if (ledTerm === null || cleanStop?.term !== ledTerm || !anotherRanAfter(o)) return null;
  const last = lastMasterSeen(o);
  if (last === null) return null;
  // The shutdown checkpoint begins there: a fork that is not beyond it leaves it out.
  const position = { lsn: (cleanStop.lsn + 1n) as Lsn, replayed: true };
  return ancestry(last, o.history.known ? o.history.value : null, o.disk, position, ownTimelines(o));
}

/** Another node ran as Master in a later term than the one that this node led. */
function anotherRanAfter(o: Observation): boolean {
  const { ledTerm } = o.disk;
  if (ledTerm === null) return false;
  const last = lastMasterSeen(o);
  return last !== null && last.node !== o.self.node && last.term > ledTerm;
}
