import type { Action } from './actions';
import type { Observation } from './observation';

/** What is to be done beside whatever rule fires: it changes neither role nor instruction of this node. */
export function dutiesOf(o: Observation): readonly Action[] {
  return [...restoreInitialize(o), ...rewriteHistory(o)];
}

/** A Master that has read the history before knows what somebody has overwritten. */
function rewriteHistory({ hold, history, historyIsUnreadable }: Observation): readonly Action[] {
  const mayWrite = hold?.phase === 'running' && !hold.lost;
  const isKnown = history.known && history.value.promotions.length > 0;
  return mayWrite && isKnown && historyIsUnreadable === true ? [{ type: 'rewriteHistory', term: hold.term }] : [];
}

/**
 * A node that was part of a cluster, and finds no word of any in Consul, says that there is one. Without it an empty node, which
 * cannot know better, would make a second cluster, whose Master takes writes.
 */
function restoreInitialize(o: Observation): readonly Action[] {
  if (!o.initialize.known || !o.runner.known || o.disk.highestTerm === 0 || o.holdsInitialize) return [];
  const { value, modifyIndex } = o.initialize.value;
  const { systemId, fresh, state } = o.runner.value.data;
  if (systemId === null || fresh || state !== 'initialised' || (value?.systemId ?? null) !== null) return [];
  // With a master key it is a cluster that is being made, or one whose key somebody has overwritten.
  const isGarbage = value === null && modifyIndex !== null;
  if (!isGarbage && (!o.master.known || o.master.value.entry !== null)) return [];
  return [{ type: 'restoreInitialize', systemId, over: modifyIndex }];
}
