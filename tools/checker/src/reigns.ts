import type { Millis } from '@ha-postgres/service-kit';
import type { AcknowledgedWrite, History, Server } from './history';
import { NodeNames } from './node-names';

/** A node's time as one that takes writes, on one timeline: the writes that it acknowledged there. */
export interface Reign {
  readonly node: string;
  readonly timeline: number;
  /** From Consul's history; null: not known there, or more than one fits. */
  readonly term: number | null;
  readonly writes: readonly AcknowledgedWrite[];
  readonly firstAcknowledgedAt: Millis;
  /** When the last of its acknowledged writes was sent. From the one to the other it took writes, for certain. */
  readonly lastSentAt: Millis;
}

/** The reigns of a history, in the order of their first acknowledgements. */
export function reignsOf(history: History): Reign[] {
  const { keyOf, termOf } = identities(history);
  const writes = new Map<string, AcknowledgedWrite[]>();
  const keys = new Map<string, { node: string; timeline: number }>();
  for (const write of history.acknowledged) {
    const key = keyOf(write.acknowledgement.by);
    const name = JSON.stringify(key);
    keys.set(name, key);
    const known = writes.get(name);
    if (known === undefined) writes.set(name, [write]);
    else known.push(write);
  }
  return [...keys].map(([name, { node, timeline }]) => {
    const own = writes.get(name) ?? [];
    return {
      node,
      timeline,
      term: termOf(node, timeline),
      writes: own,
      firstAcknowledgedAt: least(own.map(({ acknowledgement }) => acknowledgement.at)),
      lastSentAt: -least(own.map(({ sentAt }) => -sentAt)),
    };
  });
}

/** The reign that a server's answer belongs to; null: it has acknowledged nothing. */
export function reignOf(server: Server, history: History, reigns: readonly Reign[]): Reign | null {
  const key = identities(history).keyOf(server);
  return reigns.find(({ node, timeline }) => node === key.node && timeline === key.timeline) ?? null;
}

/**
 * Whether one reign comes before another in the history of the cluster. Terms say so where both are known. Else a higher
 * timeline comes later; of equal timelines, which two nodes may make without knowing of each other, whoever wrote first.
 */
export function isBefore(one: Reign, other: Reign): boolean {
  if (one.term !== null && other.term !== null && one.term !== other.term) return one.term < other.term;
  if (one.timeline !== other.timeline) return one.timeline < other.timeline;
  return one.firstAcknowledgedAt < other.firstAcknowledgedAt;
}

/** `node1 (term 3, timeline 3)`. */
export function describeReign({ node, term, timeline }: Reign): string {
  return `${node} (term ${term ?? 'unknown'}, timeline ${timeline})`;
}

function identities(history: History) {
  const names = new NodeNames(history);
  return {
    keyOf: (server: Server) => ({ node: names.nameOf(server), timeline: server.timeline }),
    termOf: (node: string, timeline: number): number | null => {
      const fitting = history.promotions.filter((one) => one.node === node && one.timeline === timeline);
      const terms = new Set(fitting.map(({ term }) => term));
      return terms.size === 1 ? ([...terms][0] ?? null) : null;
    },
  };
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Infinity);
}
