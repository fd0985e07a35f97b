import { NAMES, isWritable, type State } from './state';

/**
 * What must hold in every state; null: it does. What must never be *done* is found where it would be done (`Draft.never`): a lock
 * freed before PostgreSQL has stopped, a term taken twice, a lease extended without a promise, a promise broken.
 */
export function brokenIn({ nodes }: State): string | null {
  const writers = NAMES.filter((_, i) => nodes[i] !== undefined && isWritable(nodes[i]));
  if (writers.length > 1) return `${writers.join(' and ')} can acknowledge writes at the same time`;
  const unfenced = NAMES.find(
    (_, i) => nodes[i] !== undefined && isWritable(nodes[i]) && nodes[i].runner.armed === null,
  );
  return unfenced === undefined ? null : `${unfenced} can acknowledge writes, and no deadline will fence it`;
}
