import type { Divergence, RejoinInstruction, Upstream } from '@ha-postgres/cluster-state';
import {
  chooseRejoin,
  isOwnData,
  judgeTerm,
  whyNotRewound,
  type RejoinMark,
} from '@ha-postgres/postgres-runner/runner';
import { segmentTimelines, type Database } from '../postgres/data-directory';
import type { Server } from '../postgres/server';
import { switchPoint } from '../postgres/timeline';
import { lsnIn, lsnText, type WalRecord } from '../postgres/wal';
import type { SimProcess } from '../world/sim-process';
import type { SimNode } from './node';
import { simulatedPeers } from './peers';

const LOOK_MS = 200;
const OWN_CHECKPOINT_MS = 3000;
const CHECKPOINT_LIMIT_MS = 60_000;
const CONFIRM_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 2000;

/** The runner that carries it out. */
export interface Worker {
  readonly process: SimProcess;
  /** Takes so long; throws when the task is ended meanwhile. */
  readonly work: (ms: number) => Promise<void>;
}

type Work = Worker['work'];
type Stage = RejoinMark['stage'];

function sourceOf(node: SimNode, upstream: Upstream): Server {
  const server = node.serverAt(upstream.node);
  if (server === null || !server.takesConnections || !server.process.isRunning)
    throw new Error(`${upstream.node} does not answer`);
  return server;
}

async function copyOf(node: SimNode, upstream: Upstream, work: Work): Promise<Database> {
  const source = sourceOf(node, upstream);
  for (let step = 0; step < 3; step += 1) {
    await work(node.random.between(20, 150));
    if (sourceOf(node, upstream) !== source) throw new Error('the connection broke');
  }
  return source.database.copy();
}

/** Asks the upstream's controller until it has said that its data is of the term that this node was told. */
async function confirmTerm(node: SimNode, upstream: Upstream, copied: number | null, worker: Worker): Promise<void> {
  const peers = simulatedPeers(node, worker.process);
  for (let waited = 0; ; waited += LOOK_MS) {
    const verdict = judgeTerm(
      upstream,
      await peers.statusOf({ ...upstream, host: upstream.node }, ANSWER_LIMIT_MS),
      copied,
    );
    if (verdict.kind === 'this') return;
    if (verdict.kind === 'another' || copied === null || waited >= CONFIRM_LIMIT_MS) throw new Error(verdict.why);
    await worker.work(LOOK_MS);
  }
}

async function isConfirmed(node: SimNode, upstream: Upstream, copied: number, worker: Worker): Promise<boolean> {
  try {
    await confirmTerm(node, upstream, copied, worker);
    return true;
  } catch {
    return false;
  }
}

/** pg_basebackup, with a question to the upstream before and after. */
async function baseBackup(node: SimNode, upstream: Upstream, worker: Worker): Promise<Database> {
  await confirmTerm(node, upstream, null, worker);
  const copied = await copyOf(node, upstream, worker.work);
  await confirmTerm(node, upstream, copied.timeline.number, worker);
  return copied;
}

/** Into a directory beside, which takes the place of the data directory when it is whole. */
export async function clone(node: SimNode, upstream: Upstream, worker: Worker): Promise<void> {
  const { data } = node.disk;
  data.isUnfinished = false;
  data.database = await baseBackup(node, upstream, worker);
  node.mark({ mark: null, systemId: data.database.systemId });
}

/** What the runner does to rejoin, in its order of marks and copies. */
export async function rejoin(node: SimNode, asked: RejoinInstruction, worker: Worker): Promise<void> {
  const wanted = withOwnFork(asked, node.disk.data.database);
  const stage = await attempt(node, wanted, worker);
  node.world.tell(node.name, () => `runner     rejoin: ${stage}`);
  node.mark({ rejoin: { term: wanted.upstream.term, stage } });
}

/** A term of its own that nobody heard of may have left the common history before the Master's did. */
function withOwnFork(asked: RejoinInstruction, own: Database | null): RejoinInstruction {
  const { forkLsn, leftTimeline } = asked;
  if (forkLsn === null || leftTimeline === null || own === null) return asked;
  const newest = Math.max(...segmentTimelines(own));
  const left = switchPoint(own.known.get(newest) ?? own.timeline, leftTimeline);
  return left !== null && left < lsnIn(forkLsn) ? { ...asked, forkLsn: lsnText(left) } : asked;
}

async function attempt(node: SimNode, wanted: RejoinInstruction, worker: Worker): Promise<Stage> {
  const own = node.disk.data.database;
  if (wanted.how === 'copy' || own === null || !isOwnData(node.disk.marks.rejoin?.stage))
    return copy(node, wanted, worker);
  await worker.work(node.random.between(5, 60));
  const beyond = wanted.forkLsn === null ? null : recordsBeyond(own, wanted.forkLsn);
  const commits = beyond?.filter(({ kind }) => kind === 'write') ?? null;
  const usability = { isUsable: !node.disk.data.isDamaged, hasTimelineOf: hasTimelineOf(own, wanted) };
  const choice = chooseRejoin(wanted, {
    beyond: commits === null ? 'unknown' : beyond?.length === 0 ? 'nothing' : commits.length,
    ...usability,
  });
  node.mark({ divergence: beyond?.length === 0 ? null : divergenceOf(wanted, own, commits) });
  if (choice !== 'replaced') return choice;
  node.cluster.onGivenUp(node, commits ?? own.wal.from(0));
  if (whyNotRewound(wanted, usability) === null && (await isRewound(node, own, wanted, worker))) return 'rewound';
  return copy(node, wanted, worker);
}

/** Null: it cannot be told, for no record ends at the fork. */
function recordsBeyond({ wal }: Database, forkLsn: string): readonly WalRecord[] | null {
  const fork = lsnIn(forkLsn);
  return wal.isAcross(fork) ? null : wal.from(fork);
}

/** A timeline whose number the Master's history has used as well: nobody could tell the two. */
function hasTimelineOf(own: Database, { timelines }: RejoinInstruction): boolean {
  const segments = segmentTimelines(own);
  return timelines.some((number) => segments.has(number) || own.known.has(number));
}

function divergenceOf(
  { upstream, forkLsn, why }: RejoinInstruction,
  { wal }: Database,
  commits: readonly WalRecord[] | null,
): Divergence {
  return {
    term: upstream.term,
    fromLsn: forkLsn,
    toLsn: lsnText(wal.end),
    commits: commits?.length ?? null,
    transactions: (commits ?? []).map(({ write }) => write ?? 0).slice(0, 5),
    relations: [],
    keptAt: 'kept',
    why: commits === null ? why : null,
  };
}

async function isRewound(
  node: SimNode,
  own: Database,
  { upstream, timelines }: RejoinInstruction,
  worker: Worker,
): Promise<boolean> {
  const newest = timelines.at(-1) ?? 0;
  await confirmTerm(node, upstream, null, worker);
  await awaitCheckpoint(node, upstream, newest, worker.work);
  node.mark({ rejoin: { term: upstream.term, stage: 'unfinished' } });
  const rewound = await copyOf(node, upstream, worker.work);
  if (!(await isConfirmed(node, upstream, newest, worker))) return false;
  if (rewound.control.timeline === own.control.timeline || rewound.control.timeline !== newest) return false;
  node.disk.data.database = rewound;
  return true;
}

/** Until a checkpoint on its new timeline is complete, pg_rewind would say "no rewind required". After a while it is asked for. */
async function awaitCheckpoint(node: SimNode, upstream: Upstream, timeline: number, work: Work): Promise<void> {
  for (let waited = 0; waited < CHECKPOINT_LIMIT_MS; waited += LOOK_MS) {
    const source = sourceOf(node, upstream);
    if (source.database.control.timeline === timeline) return;
    if (waited === OWN_CHECKPOINT_MS) source.checkpoint(() => undefined);
    await work(LOOK_MS);
  }
  throw new Error('the Master has completed no checkpoint');
}

async function copy(node: SimNode, { upstream }: RejoinInstruction, worker: Worker): Promise<Stage> {
  const copied = await baseBackup(node, upstream, worker);
  node.mark({ rejoin: { term: upstream.term, stage: 'unfinished' } });
  await worker.work(node.random.between(1, 20));
  node.disk.data.database = copied;
  node.disk.data.isDamaged = false;
  node.mark({ mark: null, systemId: copied.systemId });
  return 'copied';
}
