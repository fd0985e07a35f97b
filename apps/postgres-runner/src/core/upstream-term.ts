import type { NodeStatus, Upstream } from '@ha-postgres/cluster-state';

/** What a node's controller says of its data. Its term is on that node's disk before PostgreSQL writes anything of it. */
export type SaidOfData = Pick<NodeStatus, 'node' | 'dataTerm' | 'timeline'>;

/** `another`: it is of a later term for good. `wait`: it may turn out to be of this one. */
export type TermVerdict = { readonly kind: 'this' } | { readonly kind: 'another' | 'wait'; readonly why: string };

/**
 * Is a copy of the upstream's data of the term that this node has been told? Its controller may know an old Master's term: one that
 * has been promoted since takes the same connections.
 * @param said null: it has not answered.
 * @param copied number of the timeline that the copy began on, which what was said before the last promotion does not name; null: it
 * has not begun.
 */
export function judgeTerm({ node, term }: Upstream, said: SaidOfData | null, copied: number | null): TermVerdict {
  if (said === null) return { kind: 'wait', why: `${node} does not say of which term its data is` };
  if (said.node !== node) return { kind: 'wait', why: `${said.node} answers at the address of ${node}` };
  const what = `the data of ${node} is of term ${said.dataTerm}, not ${term}`;
  if (said.dataTerm > term) return { kind: 'another', why: what };
  if (said.dataTerm < term) return { kind: 'wait', why: what };
  if (copied === null || said.timeline === copied) return { kind: 'this' };
  const on = said.timeline === null ? 'does not say on which timeline it is' : `is on timeline ${said.timeline}`;
  return { kind: 'wait', why: `the copy began on timeline ${copied}, and ${node} ${on}` };
}
