import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upstream } from '@ha-postgres/cluster-state';
import { messageOf, type Log } from '@ha-postgres/service-kit';
import { roomProblem, type FreeBytes, NoRoomError } from '../rejoin/room';
import type { Account } from './account';
import { runProgram } from './program';
import type { ServerFiles } from './server-files';
import { confirmTerm, timelineOfBackup } from './upstream-status';

export interface BaseBackupSource {
  readonly binDir: string;
  readonly dataDir: string;
  readonly node: string;
  readonly upstream: Upstream;
  /** Bytes that the volume of the data directory has left. */
  readonly freeBytes: FreeBytes;
  /** What lies in the data directory stays beside it until the new data has been proven; else it is removed. */
  readonly keepsOld: boolean;
  /** Called when the backup is complete, right before the directories are exchanged. */
  readonly beforeExchange?: () => void;
}

export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly percent: number;
}

/** Reads a progress line of pg_basebackup, such as `30402/30402 kB (100%), 1/1 tablespace`; null if it is none. */
export function parseProgress(line: string): Progress | null {
  const [, done, total, percent] = /^\s*(\d+)\/(\d+) kB \((\d+)%\)/.exec(line) ?? [];
  if (done === undefined || total === undefined) return null;
  return {
    doneBytes: Number(done) * 1024,
    totalBytes: Number(total) * 1024,
    percent: Math.min(100, Number(percent)),
  };
}

/** Where data that was replaced lies until its replacement has been proven. */
export function replacedDirectory(dataDir: string): string {
  return `${dataDir}.replaced`;
}

const beingRemoved = new Set<string>();

/** Removes what lies there, in the background: it may be large. Called again it does nothing; what cannot be removed is told once. */
export function removeReplaced(dataDir: string, log: Log): void {
  const replaced = replacedDirectory(dataDir);
  if (beingRemoved.has(replaced) || !existsSync(replaced)) return;
  beingRemoved.add(replaced);
  log.info({ event: 'data.replaced-removed', path: replaced }, 'the new data streams: the old data is removed');
  void rm(replaced, { recursive: true, force: true })
    .then(() => beingRemoved.delete(replaced))
    .catch((error: unknown) =>
      log.warn({ event: 'data.replaced-left', path: replaced, why: messageOf(error) }, 'the old data is not removed'),
    );
}

function isEmpty(directory: string): boolean {
  return readdirSync(directory).every((name) => name === 'lost+found');
}

/** Puts the new data in the place of the old, which is kept; of an earlier exchange that was not proven the first is. */
function exchange(clone: string, dataDir: string, keepsOld: boolean, log: Log): void {
  const replaced = replacedDirectory(dataDir);
  if (!keepsOld || isEmpty(dataDir) || existsSync(replaced)) rmSync(dataDir, { recursive: true, force: true });
  else {
    renameSync(dataDir, replaced);
    log.warn({ event: 'data.replaced', path: replaced }, 'the old data is kept until the new data streams');
  }
  renameSync(clone, dataDir);
}

/**
 * Takes a base backup into a directory beside the data directory, then exchanges the two: a half-finished one is never taken
 * for data, and data that was there stays beside as `DIR.replaced`. Before and after, the upstream is asked whether its data is of
 * the term that this node was told, as which the copy is on record.
 * @throws Error if the backup fails, the upstream's data is of another term, or `signal` is aborted, NoRoomError if the disk has no room
 * for it; the data directory is then as it was.
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
  for (const directory of [dataDir, clone]) {
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
    account.own(directory);
  }
  log.info(
    { event: 'clone.started', upstream: upstream.node, host: upstream.host, port: upstream.port },
    'base backup',
  );
  const noRoom = new AbortController();
  try {
    await confirmTerm(upstream, null, signal);
    await runProgram({
      command: join(source.binDir, 'pg_basebackup'),
      arguments: [
        ...['-D', clone, '-X', 'stream', '-c', 'fast', '-P', '--no-password'],
        ...['-d', files.upstreamConninfo(upstream, `${source.node}-clone`)],
      ],
      // In the data directory it is found and killed as everything of this node is, also by the guard.
      cwd: dataDir,
      account,
      signal: AbortSignal.any([signal, noRoom.signal]),
      onLine: (line) => {
        const progress = parseProgress(line);
        if (progress === null) {
          log.info({ event: 'clone.output' }, line);
          return;
        }
        onPercent(progress.percent);
        const needed = Math.max(0, progress.totalBytes - progress.doneBytes);
        const problem = roomProblem(`the base backup of ${upstream.node}`, dataDir, needed, source.freeBytes(dataDir));
        if (problem !== null) noRoom.abort(new NoRoomError(problem));
      },
    });
    await confirmTerm(upstream, timelineOfBackup(clone), signal);
    source.beforeExchange?.();
    exchange(clone, dataDir, source.keepsOld, log);
  } catch (error) {
    await rm(clone, { recursive: true, force: true });
    throw error;
  }
  log.info({ event: 'clone.finished', upstream: upstream.node }, 'base backup finished');
}
