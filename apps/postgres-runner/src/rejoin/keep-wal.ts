import { constants, copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatLsn, type Lsn } from '@ha-postgres/lsn';
import type { Log } from '@ha-postgres/service-kit';
import type { Account } from '../postgres/account';
import type { DivergedTransaction } from './diverged-commits';
import { segmentSizeOf } from './examination';
import { segmentsIn, segmentStart } from './own-wal';
import { NoRoomError, roomProblem, type FreeBytes } from './room';

/** WAL that is given up is kept so often. */
const KEPT_MAX = 3;

/** What a report tells beside the files; `null` where it is not known. */
export interface DivergenceReport {
  readonly node: string;
  /** Wall clock, for people only. */
  readonly at: string;
  readonly why: string;
  /** Terms of this node's own data and of the Master that it was compared with. */
  readonly dataTerm: number;
  readonly masterTerm: number;
  readonly master: string;
  readonly fromLsn: string | null;
  readonly toLsn: string | null;
  readonly commits: number | null;
  readonly transactions: readonly (Omit<DivergedTransaction, 'lsn'> & { readonly lsn: string })[];
  readonly relations: readonly string[];
}

interface Kept {
  readonly path: string;
  readonly number: number;
}

/** Directories of WAL that was kept, oldest first. */
export function keptDirectories(dataDir: string): Kept[] {
  const prefix = `${basename(dataDir)}.diverged-wal-`;
  return readdirSync(dirname(dataDir))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ path: join(dirname(dataDir), name), number: Number(name.slice(prefix.length)) }))
    .sort((left, right) => left.number - right.number);
}

/** The files of `pg_wal` that lie beyond a fork (null: all), with all that is needed to read them. */
function filesBeyond(walDir: string, fork: Lsn | null, end: Lsn | null): string[] {
  const names = readdirSync(walDir);
  const histories = names.filter((name) => name.endsWith('.history'));
  const segmentBytes = segmentSizeOf(walDir, names);
  if (segmentBytes === null) return histories;
  const segments = segmentsIn(names, segmentBytes).filter(
    ({ start }) => (fork === null || start >= segmentStart(fork, segmentBytes)) && (end === null || start <= end),
  );
  return [...histories, ...segments.map(({ name }) => name)];
}

/**
 * Copies the WAL beyond a fork to `DIR.diverged-wal-N`, with a report; the newest three are kept. (Links would not do: rewinding
 * writes into the same files.)
 * @throws NoRoomError, the file system's error; nothing is left then.
 */
export function keepWal(
  dataDir: string,
  range: { readonly fork: Lsn | null; readonly end: Lsn | null },
  report: DivergenceReport,
  tools: { readonly account: Account; readonly log: Log; readonly freeBytes: FreeBytes },
): string {
  const walDir = join(dataDir, 'pg_wal');
  const files = filesBeyond(walDir, range.fork, range.end);
  const bytes = files.reduce((sum, name) => sum + statSync(join(walDir, name)).size, 0);
  const problem = roomProblem('keeping the diverged WAL', dataDir, bytes, tools.freeBytes(dataDir));
  if (problem !== null) throw new NoRoomError(problem);
  const earlier = keptDirectories(dataDir);
  const path = `${dataDir}.diverged-wal-${(earlier.at(-1)?.number ?? 0) + 1}`;
  try {
    mkdirSync(path, { mode: 0o700 });
    for (const name of files) copyFileSync(join(walDir, name), join(path, name), constants.COPYFILE_FICLONE);
    writeFileSync(join(path, 'report.json'), `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
    for (const name of ['', ...readdirSync(path)]) tools.account.own(join(path, name));
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
  for (const { path: old } of earlier.slice(0, Math.max(0, earlier.length + 1 - KEPT_MAX)))
    rmSync(old, { recursive: true, force: true });
  const { fromLsn, toLsn, commits } = report;
  tools.log.warn({ event: 'rejoin.wal-kept', path, fromLsn, toLsn, commits }, 'kept the diverged WAL aside');
  return path;
}

/** For the report: transactions with their positions as text. */
export function reported(transactions: readonly DivergedTransaction[]): DivergenceReport['transactions'] {
  return transactions.map((one) => ({ ...one, lsn: formatLsn(one.lsn) }));
}
