import type { KvEntry, Read, ReadOptions, SessionInfo } from './api';
import type { HttpAnswer } from './http';
import type { TxnError, TxnOperation } from './transaction';

/** A key as Consul writes it. */
export interface WireEntry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  readonly CreateIndex: number;
  readonly LockIndex: number;
  readonly Session?: string;
  readonly Flags: number;
}

export function entryOf(wire: WireEntry): KvEntry {
  return {
    key: wire.Key,
    value: wire.Value === null ? '' : Buffer.from(wire.Value, 'base64').toString('utf8'),
    modifyIndex: wire.ModifyIndex,
    createIndex: wire.CreateIndex,
    lockIndex: wire.LockIndex,
    session: wire.Session === undefined || wire.Session === '' ? null : wire.Session,
    flags: wire.Flags,
  };
}

export interface WireTxn {
  readonly Results: readonly { readonly KV?: WireEntry }[] | null;
  readonly Errors: readonly { readonly OpIndex: number; readonly What: string }[] | null;
}

export function operationsText(operations: readonly TxnOperation[]): string {
  return JSON.stringify(
    operations.map((operation) => ({
      KV: {
        Verb: operation.verb,
        Key: operation.key,
        ...('value' in operation ? { Value: Buffer.from(operation.value, 'utf8').toString('base64') } : {}),
        ...('session' in operation ? { Session: operation.session } : {}),
        ...('index' in operation ? { Index: operation.index } : {}),
      },
    })),
  );
}

export function errorsOf(wire: WireTxn): readonly TxnError[] {
  return (wire.Errors ?? []).map(({ OpIndex, What }) => ({ opIndex: OpIndex, what: What }));
}

export function entriesOf(wire: WireTxn): readonly KvEntry[] {
  return (wire.Results ?? []).flatMap(({ KV }) => (KV === undefined ? [] : [entryOf(KV)]));
}

const numberOf = (text: string | undefined): number => {
  const value = Number(text ?? '0');
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
};

export function readOf({ header, sentAt, receivedAt }: HttpAnswer): Read {
  return {
    sentAt,
    receivedAt,
    index: numberOf(header('x-consul-index')),
    knownLeader: header('x-consul-knownleader') === 'true',
    lastContactMs: numberOf(header('x-consul-lastcontact')),
  };
}

/** Consul reads durations in Go's form; whole milliseconds are one. */
export const durationText = (ms: number): string => `${Math.round(ms)}ms`;

/** Consul adds up to a sixteenth to the wait of a blocking query: the answer may come so much later than `waitMs`. */
export function readQuery(options: ReadOptions): Record<string, string | number | undefined> {
  return {
    ...(options.consistency === 'consistent' || options.consistency === 'stale' ? { [options.consistency]: '' } : {}),
    ...(options.index === undefined ? {} : { index: options.index, wait: durationText(options.waitMs ?? 60_000) }),
  };
}

export function readTimeoutMs(options: ReadOptions, requestTimeoutMs: number): number {
  const waiting = options.index === undefined ? 0 : ((options.waitMs ?? 60_000) * 17) / 16;
  return waiting + (options.timeoutMs ?? requestTimeoutMs);
}

export interface WireSession {
  readonly ID: string;
  readonly Name: string;
  readonly Node: string;
  readonly TTL: string;
  readonly NodeChecks: readonly string[] | null;
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a duration in Go's form, such as `1m30s` or `10000ms`. */
export function durationMs(text: string): number {
  return [...text.matchAll(/([\d.]+)(ms|h|m|s)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0),
    0,
  );
}

export function sessionOf(wire: WireSession): SessionInfo {
  return {
    id: wire.ID,
    name: wire.Name,
    node: wire.Node,
    ttlMs: durationMs(wire.TTL),
    nodeChecks: wire.NodeChecks ?? [],
  };
}
