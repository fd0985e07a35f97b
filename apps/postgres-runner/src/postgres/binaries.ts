import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { errors } from '../errors';

/** Where PostgreSQL's programs are, and their major version. */
export interface Binaries {
  readonly dir: string;
  readonly major: number;
}

/** All of one version: Debian puts wrappers of client programs, psql among them, into /usr/bin. */
const PROGRAMS = ['postgres', 'initdb', 'psql', 'pg_basebackup'];
const DEBIAN_ROOT = '/usr/lib/postgresql';

function debianDirectories(): string[] {
  if (!existsSync(DEBIAN_ROOT)) return [];
  return readdirSync(DEBIAN_ROOT)
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(DEBIAN_ROOT, version, 'bin'));
}

function findDirectory(path: string): string {
  const directories = [...path.split(delimiter).filter((directory) => directory !== ''), ...debianDirectories()];
  const found = directories
    .map(homeOfPostgres)
    .find((dir) => dir !== null && PROGRAMS.every((name) => existsSync(join(dir, name))));
  if (found != null) return found;
  throw errors.HAPG_RUNNER_CANNOT_RUN_POSTGRES(
    `no directory of PATH and of ${DEBIAN_ROOT} has all of ${PROGRAMS.join(', ')}`,
  );
}

/** Where the `postgres` of a directory really lies: a PATH may hold links to some of the programs only. */
function homeOfPostgres(directory: string): string | null {
  const postgres = join(directory, 'postgres');
  return existsSync(postgres) ? dirname(realpathSync(postgres)) : null;
}

/** Reads what `postgres --version` prints, such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`. */
export function majorOf(versionText: string): number | null {
  const digits = /^postgres \(PostgreSQL\) (\d+)/.exec(versionText)?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * Finds PostgreSQL: in `binDir`, else on `path`, else the newest of Debian's directories.
 * @throws CodedError HAPG_RUNNER_CANNOT_RUN_POSTGRES
 */
export function findBinaries(binDir: string | undefined, path: string): Binaries {
  const dir = binDir ?? findDirectory(path);
  let text: string;
  try {
    text = execFileSync(join(dir, 'postgres'), ['--version'], { encoding: 'utf8', timeout: 10_000, stdio: 'pipe' });
  } catch (cause) {
    throw errors.HAPG_RUNNER_CANNOT_RUN_POSTGRES(`${join(dir, 'postgres')} does not run`, { cause });
  }
  const major = majorOf(text);
  if (major === null) throw errors.HAPG_RUNNER_CANNOT_RUN_POSTGRES(`unknown version ${JSON.stringify(text)} of ${dir}`);
  return { dir, major };
}
