import type { Millis } from '@ha-postgres/service-kit';
import { isClients, type History } from './history';

/** A time in which a client's writes were not acknowledged. */
export interface Outage {
  readonly writer: string;
  /** Its last acknowledgement before, or its first attempt of all. */
  readonly from: Millis;
  /** Its next acknowledgement; null: none came until the end. */
  readonly to: Millis | null;
  readonly ms: number;
}

/** The gaps of all clients between acknowledgements that are longer than `aboveMs`, the longest first. */
export function outagesOf(history: History, aboveMs: number): Outage[] {
  return [...gaps(history)]
    .filter(({ ms }) => ms > aboveMs)
    .sort((a, b) => b.ms - a.ms)
    .map(({ writer, from, to, ms }) => ({ writer, from, to, ms }));
}

/**
 * The longest time between two acknowledgements of one client of which the later came after `moment`; null: there is no such pair.
 */
export function longestGapAfter(history: History, moment: Millis): number | null {
  const [longest] = [...gaps(history)]
    .filter(({ isFirst, to }) => !isFirst && to !== null && to > moment)
    .map(({ ms }) => ms)
    .sort((a, b) => b - a);
  return longest ?? null;
}

function* gaps(history: History): Generator<Outage & { readonly isFirst: boolean }> {
  for (const [writer, { begun, acknowledged }] of clientsOf(history)) {
    let from = begun;
    for (const [index, to] of acknowledged.entries()) {
      yield { writer, from, to, ms: to - from, isFirst: index === 0 };
      from = to;
    }
    yield { writer, from, to: null, ms: Math.max(0, history.end - from), isFirst: false };
  }
}

function clientsOf(history: History): Map<string, { begun: Millis; acknowledged: Millis[] }> {
  const clients = new Map<string, { begun: Millis; acknowledged: Millis[] }>();
  for (const write of history.writes) {
    if (!isClients(write)) continue;
    const begun = write.sentAt ?? write.failure?.at ?? 0;
    const client = clients.get(write.writer) ?? { begun, acknowledged: [] };
    clients.set(write.writer, client);
    if (write.acknowledgement !== null) client.acknowledged.push(write.acknowledgement.at);
  }
  return clients;
}
