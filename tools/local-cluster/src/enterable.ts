import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const OTHERS_ENTER = 0o001;

/**
 * Lets other users pass through a directory of ours: root's PostgreSQL runs as another user, and a directory made by
 * `mkdtemp` is closed to it. What lies inside stays unlisted.
 * @throws Error if a directory above is closed, which is not ours to open.
 */
export function makeEnterable(directory: string): void {
  const { mode } = statSync(directory);
  if ((mode & OTHERS_ENTER) === 0) chmodSync(directory, (mode & 0o777) | 0o011);
  const closed = closedAbove(directory);
  if (closed !== null) {
    throw new Error(
      `work directory ${directory}: PostgreSQL runs as another user than root, who may not enter ${closed}; choose another --workdir`,
    );
  }
}

function closedAbove(directory: string): string | null {
  const parent = dirname(directory);
  if (parent === directory) return null;
  return closedAbove(parent) ?? ((statSync(parent).mode & OTHERS_ENTER) === 0 ? parent : null);
}
