import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Upstream } from '@ha-postgres/cluster-state';
import type { Log } from '@ha-postgres/service-kit';
import type { Account } from './account';
import { runProgram } from './program';
import type { ServerFiles } from './server-files';

export interface BaseBackupSource {
  readonly binDir: string;
  readonly dataDir: string;
  readonly node: string;
  readonly upstream: Upstream;
  /** Put the present data aside instead of requiring an empty directory. */
  readonly aside: boolean;
}

/** Reads a progress line of pg_basebackup, such as `30402/30402 kB (100%), 1/1 tablespace`; null if it is none. */
export function parseProgress(line: string): number | null {
  const percent = /^\s*\d+\/\d+ kB \((\d+)%\)/.exec(line)?.[1];
  return percent === undefined ? null : Math.min(100, Number(percent));
}

/** Directories of earlier data, oldest first. */
function asideDirectories(dataDir: string): { path: string; number: number }[] {
  const prefix = `${basename(dataDir)}.diverged-`;
  return readdirSync(dirname(dataDir))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ path: join(dirname(dataDir), name), number: Number(name.slice(prefix.length)) }))
    .sort((left, right) => left.number - right.number);
}

/** Renames the data directory to `DIR.diverged-N`; of the earlier ones none is kept. */
async function putAside(dataDir: string, log: Log): Promise<void> {
  const earlier = asideDirectories(dataDir);
  const path = `${dataDir}.diverged-${(earlier.at(-1)?.number ?? 0) + 1}`;
  renameSync(dataDir, path);
  log.warn({ event: 'data.put_aside', path }, 'the data is not an ancestor of the upstream: put aside');
  for (const { path: old } of earlier) await rm(old, { recursive: true, force: true });
}

/** Removes what lies in the directory, and the directory if that is possible (it may be a mount point). */
function replaceDirectory(from: string, dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(from, dataDir);
}

/**
 * Takes a base backup into a directory beside the data directory, then renames it: a half-finished one is never taken
 * for data.
 * @throws Error if the backup fails or `signal` is aborted; the data directory is then empty or as it was.
 */
export async function takeBaseBackup(
  source: BaseBackupSource,
  files: ServerFiles,
  account: Account,
  log: Log,
  onPercent: (percent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir, upstream } = source;
  const clone = `${dataDir}.clone`;
  await rm(clone, { recursive: true, force: true });
  if (source.aside) await putAside(dataDir, log);
  for (const directory of [dataDir, clone]) {
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
    account.own(directory);
  }
  log.info(
    { event: 'clone.started', upstream: upstream.node, host: upstream.host, port: upstream.port },
    'base backup',
  );
  try {
    await runProgram({
      command: join(source.binDir, 'pg_basebackup'),
      arguments: [
        ...['-D', clone, '-X', 'stream', '-c', 'fast', '-P', '--no-password'],
        ...['-d', files.upstreamConninfo(upstream, `${source.node}-clone`)],
      ],
      // In the data directory it is found and killed as everything of this node is, also by the guard.
      cwd: dataDir,
      account,
      signal,
      onLine: (line) => {
        const percent = parseProgress(line);
        if (percent === null) log.info({ event: 'clone.output' }, line);
        else onPercent(percent);
      },
    });
    replaceDirectory(clone, dataDir);
  } catch (error) {
    await rm(clone, { recursive: true, force: true });
    throw error;
  }
  log.info({ event: 'clone.finished', upstream: upstream.node }, 'base backup finished');
}
