import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TimelinePath } from '@ha-postgres/cluster-state';
import { formatLsn } from '@ha-postgres/lsn';
import { historyName, leftIn, timelinesIn } from '../rejoin/own-wal';

/**
 * The timelines that a data directory's WAL went through, by the history file of its newest, which names all before it. One that was
 * received and not followed yet counts: PostgreSQL goes by it at its next start. Null: it cannot be told.
 */
export function timelinePath(dataDir: string): TimelinePath | null {
  const walDir = join(dataDir, 'pg_wal');
  try {
    const newest = Math.max(...timelinesIn(readdirSync(walDir)));
    if (!Number.isFinite(newest)) return null;
    if (newest === 1) return { left: [], newest };
    const left = leftIn(readFileSync(join(walDir, historyName(newest)), 'utf8'));
    return { left: left.map(({ timeline, to }) => ({ timeline, at: formatLsn(to) })), newest };
  } catch {
    return null;
  }
}

/** The same of a server that runs: read again only when a file has come to its WAL or gone from it. */
export class TimelinePathReader {
  #modifiedAt: bigint | null = null;
  #path: TimelinePath | null = null;

  constructor(private readonly dataDir: string) {}

  read(): TimelinePath | null {
    const modifiedAt = modificationOf(join(this.dataDir, 'pg_wal'));
    if (modifiedAt === null || modifiedAt !== this.#modifiedAt) {
      this.#path = timelinePath(this.dataDir);
      this.#modifiedAt = modifiedAt;
    }
    return this.#path;
  }
}

function modificationOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? null;
}
