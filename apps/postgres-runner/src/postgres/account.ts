import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { errors } from '../errors';

/** The account that PostgreSQL's programs run as. `spawn` is empty where no change of account is needed. */
export interface Account {
  readonly uid: number;
  readonly spawn: { readonly uid: number; readonly gid: number } | Record<string, never>;
  /** Gives a file to the account. */
  readonly own: (path: string) => void;
}

function lookUp(user: string, what: '-u' | '-g'): number {
  try {
    return Number(execFileSync('id', [what, '--', user], { encoding: 'utf8', timeout: 5_000, stdio: 'pipe' }));
  } catch (cause) {
    throw errors.HAPG_RUNNER_CANNOT_RUN_POSTGRES(`no account named ${JSON.stringify(user)}`, { cause });
  }
}

/**
 * The account to run PostgreSQL as: `user`, or this process's own.
 * @throws CodedError HAPG_RUNNER_CANNOT_RUN_POSTGRES if it is unknown or root, or cannot be changed to.
 */
export function accountOf(user: string | undefined): Account {
  const own = process.getuid?.() ?? 0;
  const uid = user === undefined ? own : lookUp(user, '-u');
  if (uid === 0) {
    throw errors.HAPG_RUNNER_CANNOT_RUN_POSTGRES(
      user === undefined ? 'running as root without the option user' : `the account ${JSON.stringify(user)} is root`,
    );
  }
  if (uid === own) return { uid, spawn: {}, own: () => undefined };
  if (own !== 0) throw errors.HAPG_RUNNER_CANNOT_RUN_POSTGRES(`uid ${own} cannot become ${JSON.stringify(user)}`);
  const gid = lookUp(user ?? '', '-g');
  return { uid, spawn: { uid, gid }, own: (path) => chownSync(path, uid, gid) };
}
