import { parseLsn, type Lsn } from '@ha-postgres/lsn';

/** One line of `pg_waldump`. */
export interface WalRecord {
  /** Resource manager, such as `Heap`. */
  readonly rmgr: string;
  /** The first word of its description, such as `INSERT`. */
  readonly op: string;
  /** The transaction that wrote it; 0: none. */
  readonly xid: number;
  readonly lsn: Lsn;
  /** Without the headers of the pages that it lies on. */
  readonly bytes: number;
  readonly description: string;
}

const LINE =
  /^rmgr: (\S+)\s+len \(rec\/tot\):\s*\d+\/\s*(\d+), tx:\s*(\d+), lsn: ([0-9A-F]{1,8}\/[0-9A-F]{1,8}), prev [0-9A-F]{1,8}\/[0-9A-F]{1,8}, desc: (.*)$/s;

/** Reads a line as `pg_waldump` of PostgreSQL 13 to 18 prints it; null if it is none (a message, the rest of a long name). */
export function parseWalRecord(line: string): WalRecord | null {
  const [, rmgr, bytes, xid, lsn, description] = LINE.exec(line) ?? [];
  if (rmgr === undefined || lsn === undefined || description === undefined) return null;
  const op = /^[A-Z0-9_+]+/.exec(description)?.[0] ?? '';
  return { rmgr, op, xid: Number(xid), lsn: parseLsn(lsn), bytes: Number(bytes), description };
}

/** The relations that a record names, as tablespace/database/file. */
export function relationsOf({ rmgr, description }: WalRecord): string[] {
  const named = [...description.matchAll(/\brel (\d+\/\d+\/\d+)\b/g)].flatMap(([, relation]) => relation ?? []);
  // The default tablespace, whose number PostgreSQL has never changed.
  const files = rmgr === 'Storage' ? [...description.matchAll(/\bbase\/(\d+\/\d+)\b/g)] : [];
  return [...new Set([...named, ...files.map(([, file]) => `1663/${file ?? ''}`)])];
}

const PAGE_BYTES = 8192n;
const PAGE_HEADER_BYTES = 24n;
const SEGMENT_HEADER_BYTES = 40n;

/** Where a record ends: it goes on over page headers, and the next begins at a multiple of 8. A switch fills the segment. */
export function endOfRecord({ rmgr, op, lsn, bytes }: WalRecord, segmentBytes: number): Lsn {
  const segment = BigInt(segmentBytes);
  if (rmgr === 'XLOG' && op === 'SWITCH') return ((lsn / segment + 1n) * segment) as Lsn;
  let at: bigint = lsn;
  let left = BigInt(bytes);
  for (;;) {
    const toPageEnd = PAGE_BYTES - (at % PAGE_BYTES);
    if (left <= toPageEnd) break;
    left -= toPageEnd;
    at += toPageEnd;
    at += at % segment === 0n ? SEGMENT_HEADER_BYTES : PAGE_HEADER_BYTES;
  }
  return (((at + left + 7n) / 8n) * 8n) as Lsn;
}
