import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, sep } from 'node:path';

/**
 * Numbers of the processes whose working directory is `directory` or lies below it; zombies do not count.
 * A cluster's processes are found by it whoever their parent is: PostgreSQL's backends are sessions of their own.
 * `directory` must be a real path (no symbolic links).
 */
export function processesUnder(directory: string): number[] {
  return [...workingDirectories()].filter(([, cwd]) => isUnder(directory, cwd)).map(([pid]) => pid);
}

/** Sends a signal to each process; one that is gone meanwhile is no error. Returns how many got it. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): number {
  return pids.filter((pid) => isSent(pid, signal)).length;
}

/**
 * The state letter of a process as `ps` shows it (`T` stopped by a signal, `Z` zombie), or null if it is gone.
 */
export function processState(pid: number): string | null {
  const stat = processStat(pid);
  return stat === null ? null : (stat[0] ?? null);
}

/** The postmaster of a data directory, from its lock file, if that process lives and works there; else null. */
export function postmasterPid(dataDir: string): number | null {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 && workingDirectory(pid) === dataDir ? pid : null;
  } catch {
    return null;
  }
}

/** The fields of `/proc/PID/stat` from the state letter on, or null if there is none. */
export function processStat(pid: number): string[] | null {
  try {
    if (process.platform !== 'linux') {
      return [
        execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
          .trim()
          .slice(0, 1),
      ];
    }
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function isUnder(directory: string, cwd: string): boolean {
  // Linux marks a directory that has been removed under its process.
  const path = cwd.endsWith(' (deleted)') ? cwd.slice(0, -' (deleted)'.length) : cwd;
  return path === directory || path.startsWith(directory + sep);
}

function isSent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function workingDirectories(): Map<number, string> {
  if (process.platform !== 'linux') return workingDirectoriesByLsof();
  const found = new Map<number, string>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const cwd = Number.isInteger(pid) ? workingDirectory(pid) : null;
    if (cwd !== null) found.set(pid, cwd);
  }
  return found;
}

function workingDirectory(pid: number): string | null {
  if (process.platform !== 'linux') return workingDirectoriesByLsof(pid).get(pid) ?? null;
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

/** `lsof -Fpn` prints one line `p<pid>` and then, among others, `n<path>` for each process; it exits 1 when some were hidden. */
function workingDirectoriesByLsof(pid?: number): Map<number, string> {
  const found = new Map<number, string>();
  let current = 0;
  for (const line of lsof(pid).split('\n')) {
    if (line.startsWith('p')) current = Number(line.slice(1));
    if (line.startsWith('n')) found.set(current, line.slice(1));
  }
  return found;
}

function lsof(pid?: number): string {
  const only = pid === undefined ? [] : ['-p', String(pid)];
  try {
    return execFileSync('lsof', ['-a', '-d', 'cwd', '-Fpn', ...only], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    const stdout = (error as { stdout?: unknown }).stdout;
    if (typeof stdout === 'string') return stdout;
    throw error;
  }
}
