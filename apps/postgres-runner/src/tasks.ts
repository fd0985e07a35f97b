import { rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type Log } from '@ha-postgres/service-kit';
import type { Config } from './config';
import type { Problem, Task } from './core/facts';
import type { RunnerState } from './disk/runner-state';
import type { RunnerErrorCode } from './errors';
import { killAllIn } from './fence';
import type { Account } from './postgres/account';
import { takeBaseBackup } from './postgres/base-backup';
import type { Binaries } from './postgres/binaries';
import { initialise } from './postgres/initialise';
import type { RunningPostmaster } from './postgres/postmaster';
import type { ServerFiles } from './postgres/server-files';
import { ownedSettings } from './postgres/settings';
import { readControlFile } from './disk/control-file';
import { rejoin } from './rejoin/rejoin-task';
import { NoRoomError, type FreeBytes } from './rejoin/room';

export interface TaskTools {
  readonly config: Config;
  readonly dataDir: string;
  readonly binaries: Binaries;
  readonly account: Account;
  readonly files: ServerFiles;
  readonly state: RunnerState;
  readonly log: Log;
  readonly freeBytes: FreeBytes;
  readonly onProgress: (what: string, percent: number | null) => void;
}

/** A task under way. */
export interface TaskContext {
  readonly postmaster: RunningPostmaster | null;
  readonly signal: AbortSignal;
}

const CODES: Readonly<Record<Task['kind'], RunnerErrorCode>> = {
  initialise: 'HAPG_INITIALISE_FAILED',
  clone: 'HAPG_CLONE_FAILED',
  rejoin: 'HAPG_REJOIN_FAILED',
  wipe: 'HAPG_WIPE_FAILED',
  stopFast: 'HAPG_POSTGRES_EXITED',
};

async function emptyOut(dataDir: string): Promise<void> {
  for (const name of readdirSync(dataDir)) {
    if (name !== 'lost+found') await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

async function initialiseCluster(tools: TaskTools, signal: AbortSignal): Promise<void> {
  const { config, dataDir, binaries, account, files, state, log, onProgress } = tools;
  state.update({ mark: 'unfinished' });
  files.writeStatic();
  files.writeConfig(null);
  try {
    await initialise(
      { ...config, dataDir, settings: ownedSettings(config, files) },
      { binaries, account, log, signal, onProgress: (what) => onProgress(what, null) },
    );
  } catch (error) {
    await killAllIn(dataDir, log);
    await emptyOut(dataDir);
    throw error;
  }
  const { systemId } = readControlFile(dataDir);
  state.update({ mark: 'fresh' });
  log.info({ event: 'initialise.finished', systemId }, 'made a new database cluster');
}

async function clone(task: Extract<Task, { kind: 'clone' }>, tools: TaskTools, context: TaskContext): Promise<void> {
  const { config, dataDir, binaries, account, files, state, log, onProgress, freeBytes } = tools;
  files.writeStatic();
  onProgress('pg_basebackup', 0);
  await takeBaseBackup(
    { binDir: binaries.dir, dataDir, node: config.node, upstream: task.upstream, freeBytes, keepsOld: false },
    files,
    account,
    log,
    (percent) => onProgress('pg_basebackup', percent),
    context.signal,
  );
  const { systemId } = readControlFile(dataDir);
  state.update({ mark: null, systemId });
}

async function wipe({ dataDir, state, log }: TaskTools): Promise<void> {
  state.update({ mark: 'unfinished' });
  await emptyOut(dataDir);
  state.update({ mark: null });
  log.warn({ event: 'data.wiped' }, 'removed a database cluster that was made here and never used');
}

/** Clean, within the bound; what is left then is killed. */
async function stopFast({ config, dataDir, log }: TaskTools, { postmaster, signal }: TaskContext): Promise<void> {
  if (postmaster === null) return;
  postmaster.asked = true;
  postmaster.signal('SIGINT');
  const limit = new AbortController();
  const timeout = delay(config.stopTimeout, 'late', { signal: AbortSignal.any([signal, limit.signal]) });
  const end = await Promise.race([postmaster.exited, timeout.catch(() => 'late')]);
  limit.abort();
  if (end === 'late')
    log.warn({ event: 'postgres.stop_late', stopTimeoutMs: config.stopTimeout }, 'killing PostgreSQL');
  await killAllIn(dataDir, log);
}

/** Carries a task out to its end; what went wrong, or null. It does not throw. */
export async function carryOut(task: Task, tools: TaskTools, context: TaskContext): Promise<Problem | null> {
  try {
    if (task.kind === 'initialise') await initialiseCluster(tools, context.signal);
    else if (task.kind === 'clone') await clone(task, tools, context);
    else if (task.kind === 'rejoin') await rejoin(task.instruction, tools, context.signal);
    else if (task.kind === 'wipe') await wipe(tools);
    else await stopFast(tools, context);
    return null;
  } catch (error) {
    const code = error instanceof NoRoomError ? 'HAPG_DATA_NO_ROOM' : CODES[task.kind];
    return { code, message: messageOf(error) };
  }
}
