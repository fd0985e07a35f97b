import type { SyncRule, SyncValue } from '@ha-postgres/cluster-state';
import type { Lsn } from '@ha-postgres/lsn';
import type { Millis } from './observation';
import { ASYNC, covers, isSameRule, joined, mixed, ruleOf, rulesOf, standbyNames } from './sync-set';

/** A row of `pg_stat_replication`. */
export interface SenderSight {
  readonly pid: number;
  /** Application name of the receiver: the node's name. */
  readonly name: string;
  readonly streaming: boolean;
  /** 0: this process does not count its Replica as a synchronous one, by the setting as it has read it. */
  readonly priority: number;
  readonly flushed: Lsn | null;
}

/** What the Master's PostgreSQL says, all of one reading. */
export interface ServerSight {
  /** When the reading began. */
  readonly readAt: Millis;
  /** `synchronous_standby_names` in a process that had read it again, if it was told to, before it answered. */
  readonly standbyNames: string;
  /** End of the WAL on disk. */
  readonly position: Lsn;
  readonly senders: readonly SenderSight[];
}

/** How far the rule of key version `version` has come; must survive between decisions of one Master. */
export interface SyncProgress {
  readonly version: number;
  /** The reading in which PostgreSQL first showed it. */
  readonly seenAt: Millis;
  /** Processes that may still apply an earlier one. */
  readonly oldSenders: readonly number[];
  /** The reading that showed that none applies an earlier one any more. */
  readonly evidentAt: Millis | null;
  /** Everything that was acknowledged under earlier rules lies before it. */
  readonly mark: Lsn | null;
}

export type SyncStep =
  /** Write the key. */
  | { readonly kind: 'write'; readonly value: SyncValue }
  /** End processes that send WAL: they may release a commit that only a Replica without a name confirmed. */
  | { readonly kind: 'endSenders'; readonly pids: readonly number[] }
  /** A CHECKPOINT that begins now: only the process that makes it lets commits wait at all, and only when it has read the setting. */
  | { readonly kind: 'checkpoint' }
  /** Nothing to do before the next reading. */
  | { readonly kind: 'look' }
  | { readonly kind: 'rest' };

export interface Stepped {
  readonly step: SyncStep;
  readonly progress: SyncProgress | null;
}

/**
 * The key with a new rule, or null if it has it already. It goes on covering everything that it covered, and what processes
 * acknowledge of which some have read the new setting already: what the new rule alone does not cover stands as `previous`.
 */
export function withRule(value: SyncValue | null, term: number, rule: SyncRule, version: number): SyncValue | null {
  const before = rulesOf(value);
  if (value === null && rule.mode === 'async') return null;
  if (value?.term === term && isSameRule(value, rule)) return null;
  return { version, term, ...ruleOf(rule), previous: rule.k === 0 && rule.mode !== 'async' ? null : remaining() };

  function remaining(): SyncRule | null {
    const promised = before.filter(({ mode }) => mode !== 'async');
    // A new Master's server applies the new rule before it takes its first write.
    const isMixed = value?.term === term && rule.mode !== 'async' && promised.length > 0;
    const left = isMixed ? [mixed([...promised, rule], rule.mode)] : promised;
    const uncovered = left.filter((one) => !covers(rule, one));
    const wasFree = rule.mode !== 'async' && promised.length < before.length;
    if (uncovered.length === 0) return wasFree ? ASYNC : null;
    const both = uncovered.reduce(joined);
    // Some commits may not wait at all yet; that is not forgotten over the rest.
    return wasFree ? { ...both, k: 0 } : both;
  }
}

/**
 * The next step of a running Master towards `wanted`. The key comes first, then the setting (which follows `value`, the key as
 * it is known to be written); `previous` goes when no process applies an earlier rule and k of the named Replicas have all that
 * was acknowledged before that was seen. Interrupted anywhere, the key covers every acknowledged commit.
 */
export function nextStep(
  value: SyncValue | null,
  wanted: { readonly term: number; readonly rule: SyncRule; readonly version: number },
  server: ServerSight | null,
  before: SyncProgress | null,
  checkpointAt: Millis | null,
): Stepped {
  const changed = withRule(value, wanted.term, wanted.rule, wanted.version);
  if (changed !== null) return { step: { kind: 'write', value: changed }, progress: before };
  if (value?.previous == null) return { step: { kind: 'rest' }, progress: before };
  if (server?.standbyNames !== standbyNames(value)) return { step: { kind: 'look' }, progress: before };
  const progress = before?.version === value.version ? before : begun(value, server);
  const evidence =
    progress.evidentAt === null ? evidenceOf(value, value.previous, server, progress, checkpointAt) : null;
  if (evidence !== null) return { step: evidence, progress };
  return settle(value, server, { ...progress, evidentAt: progress.evidentAt ?? server.readAt }, wanted.version);
}

function begun({ version }: SyncValue, { readAt, senders }: ServerSight): SyncProgress {
  return { version, seenAt: readAt, oldSenders: senders.map(({ pid }) => pid), evidentAt: null, mark: null };
}

/** Progress of a rule that was in place before this server could take a write: no process of it ever applied another. */
export function inPlace(version: number, now: Millis): SyncProgress {
  return { version, seenAt: now, oldSenders: [], evidentAt: now, mark: null };
}

/** What is missing to be sure that no process of the server applies an earlier rule any more; null: nothing. */
function evidenceOf(
  rule: SyncRule,
  previous: SyncRule,
  { senders }: ServerSight,
  { seenAt, oldSenders }: SyncProgress,
  checkpointAt: Millis | null,
): SyncStep | null {
  if (rule.k === 0) return null;
  const counting = senders.filter(({ priority }) => priority > 0);
  // Whatever number it goes by, a process can release a commit only for Replicas that some process counts.
  const strays = counting.filter(({ name }) => !rule.names.includes(name));
  // And one that goes by a lower number cannot be told from one that has read the new one.
  const mayCountFewer = rule.k > 1 && previous.k < rule.k;
  const stale = mayCountFewer ? counting.filter(({ pid }) => oldSenders.includes(pid)) : [];
  const pids = [...new Set([...strays, ...stale].map(({ pid }) => pid))];
  if (pids.length > 0) return { kind: 'endSenders', pids };
  const mayNotWait = previous.k === 0;
  return mayNotWait && (checkpointAt === null || checkpointAt < seenAt) ? { kind: 'checkpoint' } : null;
}

function settle(value: SyncValue, server: ServerSight, progress: SyncProgress, version: number): Stepped {
  const done: SyncStep = { kind: 'write', value: { ...value, version, previous: null } };
  if (value.mode === 'async') return { step: done, progress };
  if (progress.mark === null) {
    // A position of the same reading might be older than what was acknowledged while the others were looked at.
    if (progress.evidentAt === null || server.readAt <= progress.evidentAt) return { step: { kind: 'look' }, progress };
    return settle(value, server, { ...progress, mark: server.position }, version);
  }
  return { step: isConfirmed(value, server.senders, progress.mark) ? done : { kind: 'look' }, progress };
}

/** Whether k of the named Replicas have everything up to `position` on disk. */
export function isConfirmed({ k, names }: SyncRule, senders: readonly SenderSight[], position: Lsn): boolean {
  const having = senders.filter(({ name, flushed }) => names.includes(name) && flushed !== null && flushed >= position);
  return new Set(having.map(({ name }) => name)).size >= k;
}
