import { formatLsn, type Lsn } from '@ha-postgres/lsn';

/** How far WAL could be read, and what lies beyond. */
export interface ReadingEnd {
  readonly fork: Lsn;
  /** End of the last record that was read, from before the fork on; null: none was. */
  readonly readTo: Lsn | null;
  /** A record that begins before the fork and ends beyond it. */
  readonly across: Lsn | null;
  /** What `pg_waldump` said when it ended. */
  readonly error: string | null;
  /** The latest checkpoint of the control file, which is there for certain; null: it could not be read. */
  readonly checkpoint: Lsn | null;
  /** A later segment that was written to since it was given its number. */
  readonly laterSegment: string | null;
}

/**
 * Why a reading does not tell all that this node's WAL holds; null: it went to its end. `pg_waldump` says the same where WAL
 * ends and where it is damaged or gone, so it is judged by what must be there, or is there, beyond.
 */
export function whyUnreadable({ fork, readTo, across, error, checkpoint, laterSegment }: ReadingEnd): string | null {
  const said = error === null ? '' : `: ${error}`;
  if (readTo === null) return `no record around ${formatLsn(fork)} can be read${said}`;
  if (readTo < fork)
    return `the WAL can be read up to ${formatLsn(readTo)} only, before the fork at ${formatLsn(fork)}${said}`;
  // PostgreSQL leaves a timeline only where a record ends: this is not the WAL that was left there.
  if (across !== null) return `its record at ${formatLsn(across)} goes on beyond the fork at ${formatLsn(fork)}`;
  if (checkpoint !== null && checkpoint > readTo) {
    return `the WAL can be read up to ${formatLsn(readTo)} only, but the latest checkpoint lies at ${formatLsn(checkpoint)}${said}`;
  }
  if (laterSegment !== null) {
    return `the WAL can be read up to ${formatLsn(readTo)} only, but ${laterSegment} was written to later${said}`;
  }
  return null;
}

/** What the first page of a segment file tells. Source: XLogPageHeaderData in PostgreSQL's xlog_internal.h. */
export interface SegmentHead {
  readonly address: Lsn;
  /** It begins with the rest of a record of the segment before. */
  readonly isContinued: boolean;
}

export const SEGMENT_HEAD_BYTES = 40;

/** Reads the head of a segment file; null if there is none, as in one that was only allocated. */
export function parseSegmentHead(bytes: Buffer): SegmentHead | null {
  if (bytes.length < SEGMENT_HEAD_BYTES || bytes.readUInt16LE(0) === 0) return null;
  return { address: bytes.readBigUInt64LE(8) as Lsn, isContinued: (bytes.readUInt16LE(2) & 1) !== 0 };
}

/** `wal_segment_size` as the head of a segment file has it; null if it has none. */
export function segmentBytesIn(bytes: Buffer): number | null {
  const isLong = bytes.length >= SEGMENT_HEAD_BYTES && (bytes.readUInt16LE(2) & 2) !== 0;
  const size = isLong ? bytes.readUInt32LE(32) : 0;
  return size >= 2 ** 20 && size <= 2 ** 30 && (size & (size - 1)) === 0 ? size : null;
}
