import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Divergence, RejoinInstruction } from '@ha-postgres/cluster-state';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { messageOf } from '@ha-postgres/service-kit';
import type { RejoinMark } from '../core/facts';
import { chooseRejoin, isOwnData, whyNotRewound, type RejoinFacts } from '../core/rejoin-choice';
import { readControlFile } from '../disk/control-file';
import { takeBaseBackup } from '../postgres/base-backup';
import { confirmTerm } from '../postgres/upstream-status';
import type { TaskTools } from '../tasks';
import { examine, type Examination } from './examination';
import { keepWal, reported } from './keep-wal';
import { historyName, leftAt, timelinesIn } from './own-wal';
import { NoRoomError } from './room';
import { awaitCheckpoint, rewind } from './rewind';

/** Named in the report to the controller; the file beside the kept WAL names all. */
const NAMED_MAX = 20;

/**
 * Makes the stopped data directory one that can follow the upstream: as it is where its WAL ends at the fork; else rewound, or
 * replaced by a base backup, once nothing is lost by it or that is allowed. How far it got is in the runner's state file first.
 * @throws Error; what was done so far is as the marks say, and trying again goes on from there.
 */
export async function rejoin(asked: RejoinInstruction, tools: TaskTools, signal: AbortSignal): Promise<void> {
  const { state } = tools;
  const wanted = withOwnFork(asked, tools);
  const outcome = await attempt(wanted, tools, signal);
  state.update({ rejoin: { term: wanted.upstream.term, stage: outcome.stage }, divergence: outcome.divergence });
}

interface Outcome {
  readonly stage: RejoinMark['stage'];
  readonly divergence: Divergence | null;
}

async function attempt(wanted: RejoinInstruction, tools: TaskTools, signal: AbortSignal): Promise<Outcome> {
  const { state, log, onProgress } = tools;
  if (wanted.how === 'copy' || !hasOwnData(tools)) {
    await copy(wanted, tools, signal);
    return { stage: 'copied', divergence: state.marks.divergence };
  }
  onProgress('examining the WAL beyond the fork', null);
  const found = await look(wanted, tools, signal);
  const divergence = divergenceOf(wanted, found);
  const choice = chooseRejoin(wanted, {
    beyond: divergence === null ? 'nothing' : (divergence.commits ?? 'unknown'),
    ...usability(wanted, tools),
  });
  if (choice === 'ancestor') {
    log.info(
      { event: 'rejoin.ancestor', fork: wanted.forkLsn },
      "this node's WAL ends at the fork: it follows as it is",
    );
    return { stage: 'ancestor', divergence: null };
  }
  if (choice === 'refused') {
    log.error({ event: 'rejoin.refused', ...divergence }, 'commits would be lost');
    return { stage: 'refused', divergence };
  }
  const kept = divergence === null ? null : keepOnce(wanted, found, divergence, tools);
  if (await isRewound(wanted, kept, tools, signal)) return { stage: 'rewound', divergence: kept };
  await copy(wanted, tools, signal);
  return { stage: 'copied', divergence: kept };
}

/** A term of its own that nobody heard of may have left the common history before the Master's did. */
function withOwnFork(asked: RejoinInstruction, { dataDir }: TaskTools): RejoinInstruction {
  const { forkLsn, leftTimeline } = asked;
  const walDir = join(dataDir, 'pg_wal');
  if (forkLsn === null || leftTimeline === null || !existsSync(walDir)) return asked;
  const own = Math.max(0, ...segmentTimelines(readdirSync(walDir)));
  const file = join(walDir, historyName(own));
  const left = existsSync(file) ? leftAt(leftTimeline, readFileSync(file, 'utf8')) : null;
  return left !== null && left < parseLsn(forkLsn) ? { ...asked, forkLsn: formatLsn(left) } : asked;
}

function segmentTimelines(names: readonly string[]): number[] {
  return [...timelinesIn(names.filter((name) => !name.endsWith('.history')))];
}

function hasOwnData({ state, dataDir }: TaskTools): boolean {
  return isOwnData(state.marks.rejoin?.stage) && existsSync(join(dataDir, 'pg_wal'));
}

function usability(wanted: RejoinInstruction, tools: TaskTools): Pick<RejoinFacts, 'isUsable' | 'hasTimelineOf'> {
  return { isUsable: isUsable(tools), hasTimelineOf: hasTimelineOf(wanted, tools) };
}

function isUsable({ dataDir }: TaskTools): boolean {
  try {
    readControlFile(dataDir);
    return true;
  } catch {
    return false;
  }
}

function hasTimelineOf({ timelines }: RejoinInstruction, { dataDir }: TaskTools): boolean {
  const own = timelinesIn(readdirSync(join(dataDir, 'pg_wal')));
  return timelines.some((timeline) => own.has(timeline));
}

async function look(wanted: RejoinInstruction, tools: TaskTools, signal: AbortSignal): Promise<Examination> {
  const { binaries, dataDir, account } = tools;
  if (wanted.forkLsn === null) return { kind: 'unknown', why: wanted.why };
  return examine({ binDir: binaries.dir, dataDir, fork: parseLsn(wanted.forkLsn), account, signal });
}

function divergenceOf({ upstream, forkLsn }: RejoinInstruction, found: Examination): Divergence | null {
  const nothing = { term: upstream.term, fromLsn: forkLsn, toLsn: null, transactions: [], relations: [], keptAt: null };
  switch (found.kind) {
    case 'nothing':
      return null;
    case 'unknown':
      return { ...nothing, commits: null, why: found.why };
    case 'diverged':
      return {
        ...nothing,
        toLsn: formatLsn(found.toLsn),
        commits: found.transactions.length,
        transactions: found.transactions.slice(0, NAMED_MAX).map(({ xid }) => xid),
        relations: touched(found).slice(0, NAMED_MAX),
        why: null,
      };
  }
}

function touched(found: Examination): string[] {
  if (found.kind !== 'diverged') return [];
  return [...new Set(found.transactions.flatMap(({ relations }) => relations))];
}

/** A try that failed afterwards is made again: kept anew each time, it would push out what was kept of other divergences. */
function keepOnce(wanted: RejoinInstruction, found: Examination, divergence: Divergence, tools: TaskTools): Divergence {
  const { divergence: before } = tools.state.marks;
  const keptAt = before?.keptAt ?? null;
  const isSame = isDeepStrictEqual({ ...before, keptAt: null }, divergence);
  if (isSame && keptAt !== null && existsSync(keptAt)) return { ...divergence, keptAt };
  const kept = { ...divergence, keptAt: keep(wanted, found, divergence, tools) };
  tools.state.update({ divergence: kept });
  return kept;
}

function keep(wanted: RejoinInstruction, found: Examination, divergence: Divergence, tools: TaskTools): string {
  const fork = wanted.forkLsn === null ? null : parseLsn(wanted.forkLsn);
  const end: Lsn | null = found.kind === 'diverged' ? found.toLsn : null;
  return keepWal(
    tools.dataDir,
    { fork, end },
    {
      node: tools.config.node,
      at: new Date().toISOString(),
      why: divergence.why ?? wanted.why,
      dataTerm: wanted.dataTerm,
      masterTerm: wanted.upstream.term,
      master: wanted.upstream.node,
      fromLsn: divergence.fromLsn,
      toLsn: divergence.toLsn,
      commits: divergence.commits,
      transactions: found.kind === 'diverged' ? reported(found.transactions) : [],
      relations: touched(found),
    },
    tools,
  );
}

/** False: it cannot be rewound, or that failed; only a base backup helps. */
async function isRewound(
  wanted: RejoinInstruction,
  divergence: Divergence | null,
  tools: TaskTools,
  signal: AbortSignal,
): Promise<boolean> {
  const { binaries, account, config, dataDir, files, state, log, onProgress } = tools;
  const { upstream, timelines } = wanted;
  files.writeStatic();
  files.writeConfig(null);
  const conninfo = files.rewindConninfo(upstream);
  const newest = timelines.at(-1);
  const why =
    conninfo === null
      ? 'there is no user for it (option rewindPassword)'
      : whyNotRewound(wanted, usability(wanted, tools));
  if (why !== null || conninfo === null || newest === undefined) {
    log.warn({ event: 'rejoin.no-rewind', why }, 'this directory cannot be rewound');
    return false;
  }
  const rewindTools = { binaries, account, files, log, signal };
  onProgress("waiting for the Master's checkpoint", null);
  // Its control file names the timeline of its last checkpoint, which may be of the term before. Both also show that the Master can be
  // reached, before anything is changed.
  await confirmTerm(upstream, null, signal);
  await awaitCheckpoint(conninfo, newest, rewindTools);
  onProgress('pg_rewind', null);
  state.update({ rejoin: { term: upstream.term, stage: 'unfinished' }, divergence });
  try {
    const { socketDir, port } = config;
    await rewind(conninfo, { dataDir, socketDir, port, upstream, timelines }, rewindTools);
    await confirmTerm(upstream, newest, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ event: 'rejoin.rewind-failed', why: messageOf(error) }, 'rewinding failed: a base backup is taken');
    return false;
  }
}

async function copy({ upstream }: RejoinInstruction, tools: TaskTools, signal: AbortSignal): Promise<void> {
  const { config, dataDir, binaries, account, files, state, log, onProgress, freeBytes } = tools;
  files.writeStatic();
  onProgress('pg_basebackup', 0);
  const beforeExchange = () => state.update({ rejoin: { term: upstream.term, stage: 'unfinished' } });
  const source = {
    binDir: binaries.dir,
    dataDir,
    node: config.node,
    upstream,
    freeBytes,
    keepsOld: true,
    beforeExchange,
  };
  try {
    await takeBaseBackup(source, files, account, log, (percent) => onProgress('pg_basebackup', percent), signal);
  } catch (error) {
    if (!(error instanceof NoRoomError)) throw error;
    const instead = 'make room, or empty the data directory if what it holds is not needed';
    throw new NoRoomError(`${error.message}: the old data is kept until the new data streams; ${instead}`, {
      cause: error,
    });
  }
  const { systemId } = readControlFile(dataDir);
  state.update({ mark: null, systemId });
}
