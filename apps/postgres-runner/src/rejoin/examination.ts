import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseLsn, ZERO_LSN, type Lsn } from '@ha-postgres/lsn';
import { messageOf } from '@ha-postgres/service-kit';
import { readControlFile } from '../disk/control-file';
import type { Account } from '../postgres/account';
import { runProgram } from '../postgres/program';
import { DivergedCommits, type DivergedTransaction } from './diverged-commits';
import { parseSegmentHead, SEGMENT_HEAD_BYTES, segmentBytesIn, whyUnreadable } from './end-of-wal';
import {
  historyName,
  placesOf,
  segmentsIn,
  segmentStart,
  stretchesBeyond,
  type Segment,
  type Stretch,
} from './own-wal';
import { endOfRecord, parseWalRecord } from './wal-record';

/** What a data directory's own WAL holds beyond a fork. */
export type Examination =
  /** Nothing: it ends there. */
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'diverged';
      readonly toLsn: Lsn;
      /** What would be lost; empty: nothing that counts. */
      readonly transactions: readonly DivergedTransaction[];
    }
  | { readonly kind: 'unknown'; readonly why: string };

export interface ExaminationSource {
  readonly binDir: string;
  readonly dataDir: string;
  readonly fork: Lsn;
  readonly account: Account;
  readonly signal: AbortSignal;
}

function headOf(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(SEGMENT_HEAD_BYTES);
    return bytes.subarray(0, readSync(file, bytes, 0, SEGMENT_HEAD_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

/** `wal_segment_size`, from the segments themselves: the control file may be what is damaged. */
export function segmentSizeOf(walDir: string, names: readonly string[]): number | null {
  for (const name of names.filter((one) => /^[0-9A-F]{24}$/.test(one))) {
    const size = segmentBytesIn(headOf(join(walDir, name)));
    if (size !== null) return size;
  }
  return null;
}

function checkpointIn(dataDir: string): Lsn | null {
  try {
    return parseLsn(readControlFile(dataDir).checkpointLsn);
  } catch {
    return null;
  }
}

/** Records are read from some way before the fork, so that of most transactions the beginning is seen. */
function windowStart(stretch: Stretch, segments: readonly Segment[], segmentBytes: number): Lsn {
  const start = segmentStart(stretch.from, segmentBytes);
  const before = (start - BigInt(segmentBytes)) as Lsn;
  const has = segments.some(({ timeline, start: at }) => timeline === stretch.timeline && at === before);
  return has ? before : start;
}

/** The first segment beyond a position that has been written to since it got its number; not the rest of a torn record. */
function laterSegment(walDir: string, segments: readonly Segment[], end: Lsn, segmentBytes: number): string | null {
  const next = segmentStart((end + BigInt(segmentBytes) - 1n) as Lsn, segmentBytes);
  const later = segments.find(({ name, start }) => {
    if (start < next || start === segmentStart(end, segmentBytes)) return false;
    const head = parseSegmentHead(headOf(join(walDir, name)));
    return head?.address === start && !(start === next && head.isContinued);
  });
  return later?.name ?? null;
}

interface Reading {
  to: Lsn | null;
  across: Lsn | null;
  error: string | null;
}

/**
 * Reads this node's WAL from a fork to its end, along its own timelines, with `pg_waldump`. It does not throw for WAL that is
 * damaged or gone: that is *unknown*, with the reason.
 * @throws the signal's reason when aborted; the file system's error where `pg_wal` itself cannot be looked at.
 */
export async function examine(source: ExaminationSource): Promise<Examination> {
  const { dataDir, fork } = source;
  const walDir = join(dataDir, 'pg_wal');
  const names = readdirSync(walDir);
  const segmentBytes = segmentSizeOf(walDir, names);
  if (segmentBytes === null) return { kind: 'unknown', why: `there is no readable WAL in ${walDir}` };
  const segments = segmentsIn(names, segmentBytes);
  const timeline = Math.max(...segments.map((segment) => segment.timeline));
  const historyFile = join(walDir, historyName(timeline));
  if (timeline > 1 && !existsSync(historyFile)) {
    return { kind: 'unknown', why: `the history of its timeline ${timeline} is missing` };
  }
  const stretches = stretchesBeyond(fork, timeline, timeline > 1 ? readFileSync(historyFile, 'utf8') : null);
  const commits = new DivergedCommits(fork);
  const reading: Reading = { to: null, across: null, error: null };
  for (const stretch of stretches) {
    const from = reading.to === null ? windowStart(stretch, segments, segmentBytes) : stretch.from;
    const written = segments.filter((segment) => segment.timeline === stretch.timeline && isWritten(walDir, segment));
    reading.error = await dump(source, { ...stretch, from }, written, segmentBytes, (line) => {
      const record = parseWalRecord(line);
      // A stretch ends where its timeline was left: what lies beyond on that is another's.
      if (record === null || (stretch.to !== null && record.lsn >= stretch.to)) return;
      commits.push(record);
      const end = endOfRecord(record, segmentBytes);
      if (reading.to === null || end > reading.to) reading.to = end;
      if (record.lsn < fork && end > fork) reading.across = record.lsn;
    });
    if (stretch.to !== null && (reading.to ?? ZERO_LSN) < stretch.to) break;
  }
  const end = reading.to ?? fork;
  const why = whyUnreadable({
    fork,
    readTo: reading.to,
    across: reading.across,
    error: reading.error,
    checkpoint: checkpointIn(dataDir),
    laterSegment: laterSegment(walDir, segments, end, segmentBytes),
  });
  if (why !== null) return { kind: 'unknown', why };
  return commits.records === 0
    ? { kind: 'nothing' }
    : { kind: 'diverged', toLsn: end, transactions: commits.transactions };
}

/** Not only allocated, or kept under a new number for later use. */
function isWritten(walDir: string, { name, start }: Segment): boolean {
  return parseSegmentHead(headOf(join(walDir, name)))?.address === start;
}

/** Runs `pg_waldump` over a stretch; what it said at the end, null if nothing. */
async function dump(
  { binDir, dataDir, account, signal }: ExaminationSource,
  stretch: Stretch,
  written: readonly Segment[],
  segmentBytes: number,
  onLine: (line: string) => void,
): Promise<string | null> {
  const said: string[] = [];
  try {
    await runProgram({
      command: join(binDir, 'pg_waldump'),
      arguments: ['--path', join(dataDir, 'pg_wal'), ...placesOf(stretch, written, segmentBytes)],
      cwd: dataDir,
      account,
      signal,
      onLine: (line) => {
        if (/^pg_waldump: (error|fatal)/.test(line)) said.push(line.replace(/^pg_waldump: (error|fatal): /, ''));
        else onLine(line);
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    return said.at(-1) ?? messageOf(error);
  }
  return said.at(-1) ?? null;
}
