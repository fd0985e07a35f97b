import { closeSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Lsn } from '@ha-postgres/lsn';

/** `XLOG_BLCKSZ`: a page begins with a header that tells its position. */
const PAGE_BYTES = 8192n;

/** Where WAL lies on disk. */
export interface WalPlace {
  readonly dataDir: string;
  readonly timeline: number;
  /** `wal_segment_size`. */
  readonly segmentBytes: number;
}

/** The beginning of the page that a position lies in. */
export function pageOf(lsn: Lsn): Lsn {
  return (lsn - (lsn % PAGE_BYTES)) as Lsn;
}

/** The file of the segment that the byte at a position lies in (`XLogFileName` of PostgreSQL's xlog_internal.h). */
export function segmentName(timeline: number, lsn: Lsn, segmentBytes: number): string {
  const size = BigInt(segmentBytes);
  const perId = 0x1_0000_0000n / size;
  const number = lsn / size;
  const parts = [BigInt(timeline), number / perId, number % perId];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('');
}

/**
 * Reads what lies on disk from `start` to the end of its segment, `bytesMax` at most.
 * @throws the file system's error, such as ENOENT where there is no such segment.
 */
export function readWal(place: WalPlace, start: Lsn, bytesMax: number): Buffer {
  const file = openSync(pathOf(place, start), 'r');
  try {
    const bytes = Buffer.alloc(bytesMax);
    return bytes.subarray(0, readSync(file, bytes, 0, bytesMax, offsetOf(place, start)));
  } finally {
    closeSync(file);
  }
}

/** PostgreSQL's own file of where the timelines before this one were left. @throws the file system's error. */
export function readTimelineHistory(dataDir: string, timeline: number): string {
  const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  return readFileSync(join(dataDir, 'pg_wal', name), 'utf8');
}

/**
 * Writes WAL into a segment that is there already; it is on disk when this returns.
 * @throws RangeError if the bytes leave the segment; the file system's error.
 */
export function writeWal(place: WalPlace, start: Lsn, bytes: Buffer): void {
  const offset = offsetOf(place, start);
  if (offset + bytes.length > place.segmentBytes) {
    throw new RangeError(`${bytes.length} bytes of WAL at offset ${offset} leave a segment of ${place.segmentBytes}`);
  }
  const file = openSync(pathOf(place, start), 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function pathOf({ dataDir, timeline, segmentBytes }: WalPlace, lsn: Lsn): string {
  return join(dataDir, 'pg_wal', segmentName(timeline, lsn, segmentBytes));
}

function offsetOf({ segmentBytes }: WalPlace, lsn: Lsn): number {
  return Number(lsn % BigInt(segmentBytes));
}
