import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Upstream } from '@ha-postgres/cluster-state';
import { messageOf, monotonicNow, type Log } from '@ha-postgres/service-kit';
import type { Account } from '../postgres/account';
import type { Binaries } from '../postgres/binaries';
import { runProgram } from '../postgres/program';
import type { ServerFiles } from '../postgres/server-files';
import { removeStaleLocks } from '../postgres/postmaster-file';
import { readControlData } from './control-data';

export interface RewindSource {
  readonly dataDir: string;
  readonly socketDir: string;
  readonly port: number;
  readonly upstream: Upstream;
  /** Of the upstream's history since the fork, newest last. */
  readonly timelines: readonly number[];
}

export interface RewindTools {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly files: ServerFiles;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** The Master makes a checkpoint by itself soon after its promotion; then it is asked to. */
const OWN_CHECKPOINT_MS = 3_000;
const CHECKPOINT_LIMIT_MS = 60_000;
const POLL_MS = 200;
/** `pg_rewind --config-file` exists from 15 on: without it crash recovery runs without this node's own settings. */
const CONFIG_FILE_SINCE = 15;

async function ask(conninfo: string, sql: string, tools: RewindTools): Promise<string> {
  const lines: string[] = [];
  await runProgram({
    command: join(tools.binaries.dir, 'psql'),
    arguments: ['--no-psqlrc', '--no-align', '--tuples-only', '--quiet', '--no-password', '-d', conninfo, '-c', sql],
    cwd: '/',
    account: tools.account,
    signal: tools.signal,
    onLine: (line) => lines.push(line),
  });
  return lines.join('\n').trim();
}

/**
 * Waits until the control file of the upstream is of its newest timeline. Before, `pg_rewind` up to PostgreSQL 15 says "no rewind
 * required" and leaves the diverged rows where they are.
 * @throws Error if the upstream cannot be asked, or does not get there in time.
 */
export async function awaitCheckpoint(conninfo: string, timeline: number, tools: RewindTools): Promise<void> {
  const began = monotonicNow();
  let asked = false;
  for (;;) {
    const now = await ask(conninfo, 'SELECT timeline_id FROM pg_control_checkpoint()', tools);
    if (Number(now) === timeline) return;
    const waited = monotonicNow() - began;
    if (waited > CHECKPOINT_LIMIT_MS) {
      throw new Error(
        `the Master has completed no checkpoint on timeline ${timeline} within ${CHECKPOINT_LIMIT_MS} ms (its last is on ${now})`,
      );
    }
    if (!asked && waited > OWN_CHECKPOINT_MS) {
      asked = true;
      // Up to 14 only a superuser may; its controller makes one anyway.
      await ask(conninfo, 'CHECKPOINT', tools).catch((error: unknown) =>
        tools.log.info(
          { event: 'rejoin.checkpoint-refused', why: messageOf(error) },
          'the Master makes no checkpoint for us',
        ),
      );
    }
    await delay(POLL_MS, undefined, { signal: tools.signal });
  }
}

/**
 * Rewinds the stopped data directory to where it left the upstream's history, and compares what has come of it. From its first
 * step on the directory is neither the one nor the other if it fails.
 * @throws Error with the last words of `pg_rewind`, or of what does not fit; the signal's reason when aborted.
 */
export async function rewind(conninfo: string, source: RewindSource, tools: RewindTools): Promise<void> {
  const { dataDir, socketDir, port, timelines } = source;
  const { binaries, account, files, log, signal } = tools;
  // Crash recovery is run by a single-user server, which knows no standby mode.
  files.writeSignal(false);
  removeStaleLocks(dataDir, socketDir, port);
  await runProgram({
    command: join(binaries.dir, 'pg_rewind'),
    arguments: [
      ...['--target-pgdata', dataDir, '--source-server', conninfo],
      ...(binaries.major >= CONFIG_FILE_SINCE ? ['--config-file', files.config] : []),
    ],
    cwd: dataDir,
    account,
    signal,
    onLine: (line) => log.info({ event: 'rejoin.output' }, line),
  });
  const { state, minimumRecovery, minimumRecoveryTimeline } = await readControlData(
    binaries.dir,
    dataDir,
    account,
    signal,
  );
  const newest = timelines.at(-1);
  if (minimumRecoveryTimeline !== newest || state !== 'in archive recovery') {
    throw new Error(
      `after rewinding the directory is ${JSON.stringify(state)} on timeline ${minimumRecoveryTimeline}, not in archive recovery on ${newest ?? 'any'}`,
    );
  }
  // What the source keeps for others is nothing to this node.
  files.removeSlots(true);
  log.info({ event: 'rejoin.rewound', minimumRecovery: minimumRecovery.toString(16), timeline: newest }, 'rewound');
}
