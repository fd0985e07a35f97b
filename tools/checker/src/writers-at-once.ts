import type { AcknowledgedWrite } from './history';
import { isBefore, type Reign } from './reigns';

/** One write that a node acknowledged though its time was over. */
export interface LateWrite {
  readonly write: AcknowledgedWrite;
  readonly reign: Reign;
  /** The reign of another node, later in the history of the cluster, that had acknowledged before this write was sent. */
  readonly after: Reign;
}

/** Every write that was sent after another node had acknowledged one in a later reign. */
export function lateWrites(reigns: readonly Reign[]): LateWrite[] {
  return reigns.flatMap((reign) => {
    const after = firstSuccessor(reign, reigns);
    if (after === null || reign.lastSentAt <= after.firstAcknowledgedAt) return [];
    return reign.writes
      .filter(({ sentAt }) => sentAt > after.firstAcknowledgedAt)
      .map((write) => ({ write, reign, after }));
  });
}

function firstSuccessor(reign: Reign, reigns: readonly Reign[]): Reign | null {
  return reigns
    .filter((other) => other.node !== reign.node && isBefore(reign, other))
    .reduce<Reign | null>(
      (first, other) => (first === null || other.firstAcknowledgedAt < first.firstAcknowledgedAt ? other : first),
      null,
    );
}

/** The most nodes that are known to have taken writes at one time, and a write that shows it. */
export interface WritersAtOnce {
  readonly nodes: readonly string[];
  readonly write: AcknowledgedWrite | null;
}

/**
 * A write happened somewhere between its sending and its acknowledgement. Whoever had acknowledged before that and acknowledged
 * a write that was sent after that, on one timeline, took writes all the while.
 */
export function writersAtOnce(reigns: readonly Reign[]): WritersAtOnce {
  let most: WritersAtOnce = { nodes: reigns.slice(0, 1).map(({ node }) => node), write: null };
  for (const reign of reigns) {
    const others = reigns.filter((other) => other.node !== reign.node && overlap(reign, other));
    if (others.length === 0) continue;
    for (const write of reign.writes) {
      const around = others.filter((other) => isAround(other, write)).map(({ node }) => node);
      const nodes = [...new Set([reign.node, ...around])];
      if (nodes.length > most.nodes.length) most = { nodes, write };
    }
  }
  return most;
}

/** Cheap, and true of every other reign that may be around one of these writes. */
function overlap(one: Reign, other: Reign): boolean {
  return other.firstAcknowledgedAt <= one.lastSentAt && one.firstAcknowledgedAt <= other.lastSentAt;
}

function isAround({ firstAcknowledgedAt, lastSentAt }: Reign, { sentAt, acknowledgement }: AcknowledgedWrite): boolean {
  return firstAcknowledgedAt <= sentAt && acknowledgement.at <= lastSentAt;
}
