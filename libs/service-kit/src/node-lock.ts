import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { codeOf } from './coded-error';
import { errors } from './errors';

export interface NodeLock {
  release(): void;
}

/**
 * Node has no flock(2). A lock belongs to the *open file description*, which a child inherits as its fd 3: a child that
 * takes the lock and ends leaves it with us. The kernel frees it when this process ends, however it ends, so there is
 * nothing stale to judge. Debian and Alpine have flock(1), macOS has perl.
 */
const LOCKERS: readonly (readonly [string, ...string[]])[] = [
  ['flock', '-x', '-n', '3'],
  ['perl', '-e', 'open(my $f, "+<&=3") or exit 2; exit(flock($f, 6) ? 0 : 1)'],
];

function tryLock(path: string, file: number): boolean {
  for (const [command, ...arguments_] of LOCKERS) {
    const result = spawnSync(command, arguments_, { stdio: ['ignore', 'ignore', 'ignore', file], timeout: 10_000 });
    if (codeOf(result.error) === 'ENOENT') continue;
    if (result.status === 0) return true;
    if (result.status === 1) return false;
    throw errors.HAPG_NODE_LOCK_UNAVAILABLE(
      `${command} ended with ${result.status ?? String(result.signal)} on ${path}`,
      {
        cause: result.error,
      },
    );
  }
  throw errors.HAPG_NODE_LOCK_UNAVAILABLE(`cannot lock ${path}: neither flock nor perl is installed`);
}

function openLockFile(path: string): number {
  try {
    // Not truncated on opening: it may hold the pid of a live holder, for its error message.
    return openSync(path, 'a+', 0o600);
  } catch (cause) {
    throw errors.HAPG_NODE_LOCK_UNAVAILABLE(`cannot open the lock file ${path}`, { cause });
  }
}

/**
 * Takes the lock that makes this process the only one of its kind for this node. The file stays when the lock is gone.
 * @throws CodedError HAPG_NODE_LOCKED, with the holder's pid, if a live process holds it;
 * HAPG_NODE_LOCK_UNAVAILABLE if locking is not possible here.
 */
export function acquireNodeLock(path: string): NodeLock {
  const file = openLockFile(path);
  try {
    if (!tryLock(path, file)) {
      throw errors.HAPG_NODE_LOCKED(`${path} is held by process ${readFileSync(path, 'utf8').trim() || 'unknown'}`);
    }
    ftruncateSync(file);
    writeSync(file, `${process.pid}\n`);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  let isHeld = true;
  return {
    release: () => {
      if (isHeld) closeSync(file);
      isHeld = false;
    },
  };
}
