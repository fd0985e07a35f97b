import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type PostmasterStatus = 'starting' | 'stopping' | 'ready' | 'standby';

const STATUSES: readonly PostmasterStatus[] = ['starting', 'stopping', 'ready', 'standby'];
/** Line 8 of postmaster.pid (PostgreSQL ≥ 10): what the postmaster with the pid of line 1 is at. Source: miscadmin.h, LOCK_FILE_LINE_PM_STATUS. */
const STATUS_LINE = 7;

/**
 * What the postmaster says of itself (a hot standby's says `ready` as well, `standby` is one without hot standby);
 * null if
 * the file is missing, incomplete or of another process.
 */
export function readPostmasterStatus(dataDir: string, pid: number): PostmasterStatus | null {
  let lines: string[];
  try {
    lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  if (Number(lines[0]) !== pid) return null;
  const status = lines[STATUS_LINE]?.trim();
  return STATUSES.find((known) => known === status) ?? null;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Removes the lock files of a postmaster that is gone. To be called only when no process of the data directory is left:
 * PostgreSQL itself refuses to start while their pid exists, even if it is a dead process that nobody has reaped yet.
 */
export function removeStaleLocks(dataDir: string, socketDir: string, port: number): void {
  rmSync(join(dataDir, 'postmaster.pid'), { force: true });
  const socketLock = join(socketDir, `.s.PGSQL.${port}.lock`);
  // Another server's socket is none of our business: line 2 names its data directory.
  if (readOrEmpty(socketLock).split('\n')[1] === dataDir) rmSync(socketLock, { force: true });
}
