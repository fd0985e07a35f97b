import type { WalTailAnswer, WalTailRequest } from '@ha-postgres/cluster-state';
import { isStopped } from '@ha-postgres/failover';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { messageOf } from '@ha-postgres/service-kit';
import type { Observation } from '@ha-postgres/failover';
import type { Parts } from '../parts';
import type { OwnHold } from './own-hold';
import { pageOf, type WalPlace } from './wal-segments';

/** More than a Master has unsent when its PostgreSQL dies; what is longer is left out. */
const TAIL_BYTES_MAX = 64 * 1024;
/** A Master that released the lock had a living node a moment ago: its answer is worth waiting for. */
const LIMIT_MS = { released: 500, lost: 100 } as const;

/**
 * WAL that the last Master had flushed and not sent when its PostgreSQL died, for whoever is about to promote. Only of its
 * own newest term, and only while its PostgreSQL is stopped: it must not change any more.
 */
export function answerWalTail(parts: Parts, o: Observation, request: WalTailRequest): WalTailAnswer {
  const { self, disk, config, wal } = parts;
  const start = pageOf(parseLsn(request.from));
  const answer = (why: string, bytes: string | null): WalTailAnswer => ({
    node: self.node,
    term: request.term,
    why,
    start: formatLsn(start),
    bytes,
  });
  if (disk.record.ledTerm !== request.term) return answer(`did not lead term ${request.term}`, null);
  if (!isStopped(o) && !hasNoPostgres(o)) return answer('its PostgreSQL is not known to be stopped', null);
  try {
    const bytes = wal.read({ dataDir: config.dataDir, ...request }, start, TAIL_BYTES_MAX);
    return answer('stopped', bytes.toString('base64'));
  } catch (error) {
    return answer(messageOf(error), null);
  }
}

function hasNoPostgres(o: Observation): boolean {
  return o.hold === null && o.runner.known && o.runner.value.stopped;
}

/** WAL of the last Master that this node may put behind its own. */
export interface WalTail {
  readonly term: number;
  readonly place: WalPlace;
  readonly start: Lsn;
  readonly bytes: Buffer;
}

/**
 * Asks the last Master for what it could not send, while the votes come in. That nothing comes is no obstacle: a promotion is
 * right without it, and loses what asynchronous replication may lose.
 */
export async function fetchWalTail(parts: Parts, hold: OwnHold): Promise<WalTail | null> {
  const { consul, postgres, peers, config, log, self } = parts;
  const { last, parentTerm, term } = hold.facts;
  const { lsn } = postgres.sight;
  if (last === null || last.node === self.node || last.term !== parentTerm || lsn === null) return null;
  // Its own timeline is not known for certain without a receiver (the control file may be behind), and need not be.
  const { timeline } = last;
  const member = consul.members.known ? consul.members.value.members.find(({ node }) => node === last.node) : undefined;
  if (member === undefined) return null;
  const [row] = await postgres.connection.query<{ bytes: number }>(
    "SELECT setting::int AS bytes FROM pg_settings WHERE name = 'wal_segment_size'",
  );
  const segmentBytes = row?.bytes ?? 0;
  const start = pageOf(lsn);
  const request = { term: last.term, timeline, from: formatLsn(lsn), segmentBytes };
  const limitMs = Number.isFinite(hold.facts.waitUntil) ? LIMIT_MS.lost : LIMIT_MS.released;
  const answer = await peers.walTail(member, request, limitMs);
  if (answer?.bytes == null || answer.start !== formatLsn(start)) {
    const why = answer?.why ?? 'no answer';
    log.info({ event: 'wal-tail.none', from: last.node, why }, 'no WAL to be had from the last Master');
    return null;
  }
  const place = { dataDir: config.dataDir, timeline, segmentBytes };
  return { term, place, start, bytes: Buffer.from(answer.bytes, 'base64') };
}

/**
 * Right before `pg_promote`, and not earlier: a node that had it and gave up would have data that the next Master lacks. It
 * is put where PostgreSQL looks once more before it ends its recovery. Its records are verified by PostgreSQL itself:
 * replay ends where the dead Master's own recovery would.
 */
export function applyWalTail({ facts, log, wal }: Parts, term: number): void {
  const tail = facts.walTail;
  if (tail?.term !== term) return;
  const said = { start: formatLsn(tail.start), bytes: tail.bytes.length };
  try {
    wal.write(tail.place, tail.start, tail.bytes);
    log.info({ event: 'wal-tail.applied', ...said }, 'took over what the last Master had not sent');
  } catch (error) {
    const why = messageOf(error);
    log.warn({ event: 'wal-tail.failed', ...said, why }, 'could not take over what the last Master had not sent');
  }
}
