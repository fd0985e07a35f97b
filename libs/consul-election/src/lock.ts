import type { CallOptions, ConsulApi, KvEntry } from './api';
import type { Millis } from './clock';
import {
  opCas,
  opCheckIndex,
  opCheckNotExists,
  opCheckSession,
  opDeleteCas,
  opLock,
  opUnlock,
  reasonOf,
  type RefusalReason,
  type TxnError,
  type TxnOperation,
} from './transaction';

/** Another key that is written in the same transaction. */
export interface AlsoWrite {
  readonly key: string;
  readonly value: string;
  /** Written only over this ModifyIndex; `null`: only if the key does not exist. */
  readonly modifyIndex: number | null;
}

/** A key that must be as it was when the decision was made; `null`: it must not exist. */
export interface Unchanged {
  readonly key: string;
  readonly modifyIndex: number | null;
}

export interface AcquireRequest {
  readonly key: string;
  /** A session made for this hold and no other. */
  readonly session: string;
  readonly value: string;
  /** The very entry on which the decision to acquire was made; `null` if the key did not exist. */
  readonly decidedOn: KvEntry | null;
  readonly unchanged: readonly Unchanged[];
  /** The holder's lease ran out ({@link leaseRanOut}): the key is taken from its session. */
  readonly takeOver: boolean;
  readonly alsoWrite?: readonly AlsoWrite[];
}

export interface BeatRequest {
  readonly key: string;
  readonly session: string;
  /** Must differ from every earlier value of this hold: Consul does not move the ModifyIndex for a write that changes nothing. */
  readonly value: string;
  readonly alsoWrite?: readonly AlsoWrite[];
}

export interface ReleaseRequest {
  readonly key: string;
  readonly session: string;
  readonly value: string;
  /** ModifyIndex of the holder's own last write. */
  readonly ownLastIndex: number;
}

const guard = ({ key, modifyIndex }: Unchanged): TxnOperation =>
  modifyIndex === null ? opCheckNotExists(key) : opCheckIndex(key, modifyIndex);
const also = (writes: readonly AlsoWrite[] | undefined): readonly TxnOperation[] =>
  (writes ?? []).map((write) => opCas(write.key, write.value, write.modifyIndex));

/**
 * The key is acquired only if it is still what the decision was made on. A plain `?acquire=` would also succeed after
 * another had held the key and freed it in between.
 *
 * The `check-index` also stands before `delete-cas`, which alone succeeds on a key that is gone.
 */
export function acquireOperations(request: AcquireRequest): readonly TxnOperation[] {
  const { key, session, value, decidedOn, unchanged, takeOver } = request;
  return [
    guard({ key, modifyIndex: decidedOn?.modifyIndex ?? null }),
    ...unchanged.map(guard),
    ...(takeOver && decidedOn !== null ? [opDeleteCas(key, decidedOn.modifyIndex)] : []),
    opLock(key, value, session),
    ...also(request.alsoWrite),
  ];
}

/** `check-session` first: `lock` alone would also take a key that was lost meanwhile. */
export function heartbeatOperations({ key, session, value, alsoWrite }: BeatRequest): readonly TxnOperation[] {
  return [opCheckSession(key, session), opLock(key, value, session), ...also(alsoWrite)];
}

/** `check-index` makes a release that comes late, after the holder went on, fail. */
export function releaseOperations({ key, session, value, ownLastIndex }: ReleaseRequest): readonly TxnOperation[] {
  return [opCheckSession(key, session), opCheckIndex(key, ownLastIndex), opUnlock(key, value, session)];
}

export interface Written {
  readonly done: true;
  /** Of the lock's key, after this write. */
  readonly modifyIndex: number;
  readonly lockIndex: number;
  /** Of all keys named in the transaction and still there, after it; the lock's key first. Consul returns no values here. */
  readonly entries: readonly KvEntry[];
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

export interface Refused {
  readonly done: false;
  /** `not-held`: Consul said that the session does not hold the key. Every other word leaves that open. */
  readonly why: RefusalReason;
  readonly errors: readonly TxnError[];
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

export type WriteResult = Written | Refused;

/** Which reason counts where several operations failed: the loss of the hold before everything else. */
const WEIGHT: readonly RefusalReason[] = [
  'not-held',
  'changed',
  'held-by-other',
  'invalid-session',
  'lock-delay',
  'denied',
  'other',
];

function refusal(errors: readonly TxnError[]): RefusalReason {
  const reasons = errors.map(reasonOf);
  return WEIGHT.find((reason) => reasons.includes(reason)) ?? 'other';
}

/** @throws Error if Consul committed a transaction and named no entry for the lock's key (never seen). */
async function write(
  client: Pick<ConsulApi, 'transaction'>,
  key: string,
  operations: readonly TxnOperation[],
  options: CallOptions,
): Promise<WriteResult> {
  const result = await client.transaction(operations, options);
  const { sentAt, receivedAt } = result;
  if (!result.committed) return { done: false, why: refusal(result.errors), errors: result.errors, sentAt, receivedAt };
  const written = new Map<string, KvEntry>();
  for (const entry of result.entries) {
    written.delete(entry.key);
    written.set(entry.key, entry);
  }
  const entry = written.get(key);
  if (entry === undefined) throw new Error(`Consul committed a transaction on ${key} and returned no entry for it`);
  written.delete(key);
  return {
    done: true,
    modifyIndex: entry.modifyIndex,
    lockIndex: entry.lockIndex,
    entries: [entry, ...written.values()],
    sentAt,
    receivedAt,
  };
}

/**
 * Acquires the key as decided. After a {@link NoAnswerError} it may or may not be held: the session must be destroyed.
 * @throws NoAnswerError outcome unknown. @throws ConsulError refused as a request.
 */
export async function acquire(
  client: Pick<ConsulApi, 'transaction'>,
  request: AcquireRequest,
  options: CallOptions = {},
): Promise<WriteResult> {
  return write(client, request.key, acquireOperations(request), options);
}

/** A beat that Consul accepted although it changed nothing: its value was not new. Others did not see it, so it extends no lease. */
export interface Unchanging {
  readonly done: false;
  readonly why: 'unchanged';
  readonly errors: readonly TxnError[];
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

/**
 * One heartbeat. `done` proves that the session held the key without a break until then, and that others can see it.
 * @throws NoAnswerError outcome unknown. @throws ConsulError refused as a request.
 */
export async function beat(
  client: Pick<ConsulApi, 'transaction'>,
  request: BeatRequest,
  options: CallOptions = {},
): Promise<WriteResult | Unchanging> {
  const result = await client.transaction(heartbeatOperations(request), options);
  const { sentAt, receivedAt } = result;
  if (!result.committed)
    return { done: false, why: refusal(holdFirst(result.errors)), errors: result.errors, sentAt, receivedAt };
  // Entries come in the order of the operations: the key as `check-session` found it, then as `lock` left it.
  const [before, after, ...others] = result.entries;
  if (before?.key !== request.key || after?.key !== request.key)
    throw new Error(`Consul committed a beat on ${request.key} and did not return its entries`);
  if (after.modifyIndex <= before.modifyIndex) return { done: false, why: 'unchanged', errors: [], sentAt, receivedAt };
  return {
    done: true,
    modifyIndex: after.modifyIndex,
    lockIndex: after.lockIndex,
    entries: [after, ...others],
    sentAt,
    receivedAt,
  };
}

// Only the first operation, `check-session`, can say that the hold is lost.
function holdFirst(errors: readonly TxnError[]): readonly TxnError[] {
  return errors.some((error) => error.opIndex === 0) ? errors.filter((error) => error.opIndex === 0) : errors;
}

/**
 * Frees the key with a last value. `changed`: a beat of one's own moved the key meanwhile, or another wrote it.
 * @throws NoAnswerError outcome unknown. @throws ConsulError refused as a request.
 */
export async function release(
  client: Pick<ConsulApi, 'transaction'>,
  request: ReleaseRequest,
  options: CallOptions = {},
): Promise<WriteResult> {
  return write(client, request.key, releaseOperations(request), options);
}
