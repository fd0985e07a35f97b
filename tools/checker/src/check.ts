import { isAmbiguous, isClients, type History, type Write } from './history';
import { outagesOf } from './outages';
import { describeReign, isBefore, reignOf, reignsOf, type Reign } from './reigns';
import { holdAgainst, type StoredFindings } from './stored';
import type { Counts, Verdict, Violation, ViolationKind, WriterSeen } from './verdict';
import { lateWrites, writersAtOnce, type LateWrite, type WritersAtOnce } from './writers-at-once';

/** What is not called wrong, and how small a gap between acknowledgements is no outage. */
export interface Allowances {
  /** So many acknowledged writes may be missing: asynchronous replication. Default 0. */
  readonly allowLost?: number;
  /** So many writes may be late: a node that thaws, in asynchronous replication. Default 0. */
  readonly allowLate?: number;
  /** Gaps up to this are not listed among the outages, in milliseconds. Default 200. */
  readonly outageAboveMs?: number;
}

const OUTAGE_ABOVE_MS = 200;

/** Judges a history: pure, so that a recorded one can be judged again at any time. */
export function checkHistory(history: History, allowances: Allowances = {}): Verdict {
  const reigns = reignsOf(history);
  const late = lateWrites(reigns);
  const atOnce = writersAtOnce(reigns);
  const stored = history.stored === null ? null : holdAgainst(history, history.stored);
  const violations = [
    ...storedViolations(history, stored, allowances.allowLost ?? 0),
    ...staleReading(history, reigns),
    ...(late.length > (allowances.allowLate ?? 0) ? [lateViolation(late, history), ...atOnceViolations(atOnce)] : []),
    ...(history.acknowledged.some(isClients) ? [] : [violation('idle', 'no write of any client was acknowledged')]),
  ];
  const writes = [...history.writes];
  const lostOf = (isOne: (write: Write) => boolean) => stored?.lost.filter(isOne).map(({ id }) => id) ?? null;
  return {
    isFine: violations.length === 0,
    violations,
    ...countsOf(writes.filter(isClients)),
    lost: lostOf(isClients),
    duplicates: stored?.duplicates ?? [],
    late: late.map(({ write }) => write.id),
    writersAtOnceMax: atOnce.nodes.length,
    writers: reigns.map((reign) => seen(reign, history)),
    ...outages(history, allowances.outageAboveMs ?? OUTAGE_ABOVE_MS),
    direct: { ...countsOf(writes.filter((write) => !isClients(write))), lost: lostOf((write) => !isClients(write)) },
    unseenNodes: unseenNodes(history, writes),
  };
}

function storedViolations(history: History, stored: StoredFindings | null, allowLost: number): Violation[] {
  if (stored === null)
    return [violation('unread', 'the table could not be read at the end: nobody knows what is lost')];
  const { lost, duplicates, unexpected } = stored;
  const ids = lost.map(({ id }) => id);
  return [
    ...(ids.length > allowLost
      ? [violation('lost', `${ids.length} acknowledged, and not there: ${listed(lost, history)}`, ids)]
      : []),
    ...(duplicates.length > 0
      ? [violation('duplicate', `sent once and there more than once: ${some(duplicates)}`, duplicates)]
      : []),
    ...(unexpected.length > 0
      ? [violation('unexpected', `there, though refused or never sent: ${some(unexpected)}`, unexpected)]
      : []),
  ];
}

/** A former Master that still answers reads would hide what is lost, or show as lost what is not. */
function staleReading(history: History, reigns: readonly Reign[]): Violation[] {
  if (history.stored === null) return [];
  const reader = reignOf(history.stored.by, history, reigns);
  const later = reigns.find((reign) => reader !== null && reign.node !== reader.node && isBefore(reader, reign));
  if (reader === null || later === undefined) return [];
  const text = `read from ${describeReign(reader)}, but ${describeReign(later)} had acknowledged writes`;
  return [violation('staleReading', text)];
}

function lateViolation(late: readonly LateWrite[], history: History): Violation {
  const pairs = new Set(late.map(({ reign, after }) => `${describeReign(reign)} after ${describeReign(after)}`));
  const writes = late.map(({ write }) => write);
  const text = `${late.length} sent after another node had acknowledged in a later term: ${[...pairs].join('; ')}: ${listed(writes, history)}`;
  return violation(
    'late',
    text,
    writes.map(({ id }) => id),
  );
}

function atOnceViolations({ nodes, write }: WritersAtOnce): Violation[] {
  if (write === null) return [];
  return [
    violation('writersAtOnce', `${nodes.join(' and ')} took writes at one time, seen at write ${write.id}`, [write.id]),
  ];
}

function violation(kind: ViolationKind, text: string, ids: readonly number[] = []): Violation {
  return { kind, text, ids };
}

function countsOf(writes: readonly Write[]): Counts {
  const acknowledged = writes.filter(({ acknowledgement }) => acknowledgement !== null).length;
  return {
    attempts: writes.length,
    acknowledged,
    failed: writes.length - acknowledged,
    ambiguous: writes.filter(isAmbiguous).length,
  };
}

function seen({ node, term, timeline, writes, firstAcknowledgedAt }: Reign, history: History): WriterSeen {
  const last = writes.reduce(
    (latest, { acknowledgement }) => Math.max(latest, acknowledgement.at),
    firstAcknowledgedAt,
  );
  const start = startOf(history);
  return {
    node,
    term,
    timeline,
    acknowledged: writes.length,
    firstAcknowledgedAt: firstAcknowledgedAt - start,
    lastAcknowledgedAt: last - start,
  };
}

function outages(history: History, aboveMs: number): Pick<Verdict, 'writeOutageMs' | 'outages'> {
  const start = startOf(history);
  const listed = outagesOf(history, aboveMs).map(({ from, to, ...rest }) => ({
    ...rest,
    from: from - start,
    to: to === null ? null : to - start,
  }));
  return { writeOutageMs: outagesOf(history, -1)[0]?.ms ?? null, outages: listed };
}

/** Of those that a writer tried to reach past the load balancers, the ones that neither acknowledged nor refused anything. */
function unseenNodes(history: History, writes: readonly Write[]): string[] {
  const answered = new Set(
    writes.filter((write) => !isAmbiguous(write) && write.sentAt !== null).map(({ direct }) => direct),
  );
  const tried = new Set(writes.map(({ direct }) => direct));
  return (history.run?.nodes ?? []).map(({ name }) => name).filter((name) => tried.has(name) && !answered.has(name));
}

function startOf(history: History): number {
  return history.run?.at ?? 0;
}

const LISTED = 5;

function listed(writes: readonly Write[], history: History): string {
  const start = startOf(history);
  const texts = writes.slice(0, LISTED).map(({ id, writer, sentAt }) => {
    return `${id} (${writer}, sent at ${(((sentAt ?? start) - start) / 1_000).toFixed(3)} s)`;
  });
  return texts.join(', ') + (writes.length > LISTED ? ', …' : '');
}

function some(ids: readonly number[]): string {
  return ids.slice(0, LISTED).join(', ') + (ids.length > LISTED ? ', …' : '');
}
