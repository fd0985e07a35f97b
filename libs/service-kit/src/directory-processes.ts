import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

interface Directory {
  readonly path: string;
  /** Device and inode: the same directory is found by it under another path, such as in another container. */
  readonly identity: string | undefined;
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/**
 * Whether a process works in the directory. A process that is dead but not reaped (state Z) has no working directory
 * any more, and one that vanishes while we look has no entry: both are not there. The kernel adds ` (deleted)` to the
 * path of a directory that was removed under a process, which may go on writing to files it holds open.
 */
function worksIn(pid: number, directory: Directory): boolean {
  const link = `/proc/${pid}/cwd`;
  try {
    const target = readlinkSync(link);
    if (target === directory.path || target === `${directory.path} (deleted)`) return true;
  } catch {
    return false;
  }
  return directory.identity !== undefined && identityOf(link) === directory.identity;
}

function processesByProc(directory: Directory): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, directory));
}

function processesByLsof(directory: Directory): number[] {
  const { stdout } = spawnSync('lsof', ['-t', '-a', '-d', 'cwd', '--', directory.path], {
    encoding: 'utf8',
    timeout: 5_000,
  });
  return stdout.split('\n').flatMap((line) => (/^\d+$/.test(line) ? [Number(line)] : []));
}

/**
 * The processes whose working directory is `directory`, this one left out: for a PostgreSQL data directory all that can
 * still write to it, backends that outlived their postmaster included. Processes that this user may not look into
 * (another user's, without privileges) are not seen.
 */
export function processesIn(directory: string): number[] {
  const path = realPathOf(directory);
  const wanted = { path, identity: identityOf(path) };
  const found = process.platform === 'linux' ? processesByProc(wanted) : processesByLsof(wanted);
  return found.filter((pid) => pid !== process.pid).sort((left, right) => left - right);
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** A postmaster forks while we signal its children: bounded rounds until a look finds nobody new. */
const ROUNDS = 20;

/**
 * Sends `signal` to every process in `directory` but those in `except`, looking again until nobody new is found.
 * Returns the pids that were signalled. With SIGKILL they are doomed when this returns, though perhaps not yet gone:
 * ask `processesIn` until it finds none.
 */
export function killProcessesIn(directory: string, signal: NodeJS.Signals, except: readonly number[] = []): number[] {
  const signalled = new Set<number>();
  const spared = new Set(except);
  for (let round = 0; round < ROUNDS; round += 1) {
    const fresh = processesIn(directory).filter((pid) => !signalled.has(pid) && !spared.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) (send(pid, signal) ? signalled : spared).add(pid);
  }
  return [...signalled];
}
