import type { NodeStatus } from '@ha-postgres/cluster-state';
import { ZERO_LSN, parseLsn } from '@ha-postgres/lsn';
import type { NodeRow } from './picture';

export interface Ranked {
  readonly node: string;
  readonly status: NodeStatus;
}

/** Nodes that answered and hold data, newest data first: by (term of the data, position), as votes are ordered. */
export function ranked(nodes: readonly NodeRow[]): readonly Ranked[] {
  return nodes
    .flatMap(({ node, status, source }) => (status === null || source !== 'node' ? [] : [{ node, status }]))
    .filter(({ status }) => status.dataTerm > 0)
    .sort((a, b) => compare(b.status, a.status) || (a.node < b.node ? -1 : 1));
}

/** Above 0: `a` holds newer data. A longer WAL of an older term is not newer. */
export function compare(a: NodeStatus, b: NodeStatus): number {
  if (a.dataTerm !== b.dataTerm) return a.dataTerm - b.dataTerm;
  const [left, right] = [a, b].map(({ lsn }) => (lsn === null ? ZERO_LSN : parseLsn(lsn)));
  return left === right ? 0 : (left ?? ZERO_LSN) > (right ?? ZERO_LSN) ? 1 : -1;
}
