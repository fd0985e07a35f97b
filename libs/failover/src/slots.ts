import { slotName, termOfSlot } from '@ha-postgres/cluster-state';
import type { Action } from './actions';
import type { Hold, Observation } from './observation';

/**
 * Every member but the Master has a slot of the Master's term; there are no others of the cluster's. A slot whose WAL is gone is
 * made anew: whoever used it takes a base backup, and then needs one that holds WAL back.
 * @returns what is to be done, or null.
 */
export function slotsToChange(o: Observation, { term }: Hold): Extract<Action, { type: 'keepSlots' }> | null {
  if (!o.slots.known || !o.members.known) return null;
  const others = o.members.value.members.filter(({ node }) => node !== o.self.node);
  const wanted = others.map(({ node }) => slotName(term, node));
  const there = o.slots.value.filter(({ name }) => termOfSlot(name) !== null);
  const drop = there.filter(({ name, lost }) => lost || !wanted.includes(name)).map(({ name }) => name);
  const create = wanted.filter((name) => !there.some((slot) => slot.name === name));
  return drop.length === 0 && create.length === 0 ? null : { type: 'keepSlots', create, drop };
}
