import type { TimelinePath, Upstream } from '@ha-postgres/cluster-state';
import type {
  Inspected,
  Marks,
  PostmasterExit,
  Problem,
  RunnerMachine,
  RunnerParts,
  RunningPostmaster,
  Task,
  TaskContext,
} from '@ha-postgres/postgres-runner/runner';
import { Database, newestTimeline } from '../postgres/data-directory';
import type { Source } from '../postgres/receiver';
import type { Server } from '../postgres/server';
import type { Timeline } from '../postgres/timeline';
import { lsnText } from '../postgres/wal';
import type { SimProcess } from '../world/sim-process';
import type { SimNode } from './node';
import { clone, rejoin } from './rejoin';

const STOP_TIMEOUT_MS = 3000;
const NOTHING = {
  systemId: null,
  fresh: false,
  timeline: null,
  cleanShutdown: false,
  checkpointLsn: null,
  problem: null,
} as const;

/** What the runner sees and does of its node. */
export function runnerMachine(node: SimNode, process: SimProcess): RunnerMachine {
  return {
    clock: process.clock,
    bootId: node.bootId,
    incarnation: node.newName('runner'),
    killAll: () => {
      const isAny = node.killPostgres();
      return isAny ? process.clock.pause(node.random.between(0.5, 4)) : Promise.resolve();
    },
    inspect: (marks) => inspect(node, marks),
    timelines: () => (node.disk.data.database === null ? null : timelinePath(node.disk.data.database)),
    removeReplaced: () => undefined,
    carryOut: async (task, context) => {
      try {
        await carryOut(node, process, task, context);
        return null;
      } catch (error) {
        return { code: 'HAPG_CLONE_FAILED', message: String(error) } satisfies Problem;
      }
    },
  };
}

function inspect(node: SimNode, marks: Marks): Inspected {
  const { data } = node.disk;
  if (data.database === null && !data.isUnfinished) return { ...NOTHING, state: 'empty' };
  if (data.database === null || marks.mark === 'unfinished') return { ...NOTHING, state: 'unfinished' };
  if (marks.rejoin?.stage === 'unfinished')
    return {
      ...NOTHING,
      state: 'unusable',
      problem: { code: 'HAPG_DATA_HALF_REPLACED', message: 'neither old nor new' },
    };
  if (data.isDamaged)
    return {
      ...NOTHING,
      state: 'unusable',
      problem: { code: 'HAPG_DATA_UNREADABLE', message: 'the control file cannot be read' },
    };
  const { systemId, control } = data.database;
  const isForeign = marks.systemId !== null && marks.mark !== 'fresh' && systemId !== marks.systemId;
  return {
    ...NOTHING,
    state: 'initialised',
    systemId,
    fresh: marks.mark === 'fresh',
    timeline: control.timeline,
    cleanShutdown: control.cleanShutdown,
    checkpointLsn: lsnText(control.checkpoint),
    timelines: timelinePath(data.database),
    problem: isForeign ? { code: 'HAPG_DATA_FOREIGN', message: 'data of another cluster' } : null,
  };
}

/** A timeline never changes, and a runner looks at it all the time. */
const paths = new WeakMap<Timeline, TimelinePath>();

function timelinePath(database: Database): TimelinePath {
  const newest = newestTimeline(database);
  const path = paths.get(newest) ?? pathTo(newest);
  paths.set(newest, path);
  return path;
}

function pathTo({ number, ancestors }: Timeline): TimelinePath {
  return { left: ancestors.map(({ timeline, until }) => ({ timeline, at: lsnText(until) })), newest: number };
}

async function carryOut(node: SimNode, process: SimProcess, task: Task, context: TaskContext): Promise<void> {
  const { data } = node.disk;
  const { clock } = process;
  const work = async (ms: number): Promise<void> => {
    await clock.pause(ms, context.signal);
    if (context.signal.aborted) throw new Error('aborted');
  };
  switch (task.kind) {
    case 'initialise': {
      node.mark({ mark: 'unfinished' });
      data.isUnfinished = true;
      await work(node.random.between(150, 500)).catch((error: unknown) => {
        data.isUnfinished = false;
        throw error;
      });
      data.database = new Database(node.newSystemId());
      data.isUnfinished = false;
      node.mark({ mark: 'fresh' });
      return;
    }
    case 'wipe':
      node.mark({ mark: 'unfinished' });
      await clock.pause(node.random.between(10, 50));
      data.database = null;
      data.isUnfinished = false;
      node.mark({ mark: null });
      return;
    case 'clone':
      return clone(node, task.upstream, { process, work });
    case 'rejoin':
      return rejoin(node, task.instruction, { process, work });
    case 'stopFast':
      return stopFast(node, process, context);
  }
}

async function stopFast(node: SimNode, process: SimProcess, { postmaster, signal }: TaskContext): Promise<void> {
  if (postmaster === null) return;
  postmaster.asked = true;
  postmaster.signal('SIGINT');
  const limit = new AbortController();
  signal.addEventListener('abort', () => limit.abort(), { once: true });
  await Promise.race([postmaster.exited, process.clock.pause(STOP_TIMEOUT_MS, limit.signal)]);
  limit.abort();
  if (node.killPostgres()) await process.clock.pause(node.random.between(0.5, 4));
}

/** Starts and repoints the PostgreSQL of a node. */
export function runnerServer(node: SimNode, process: SimProcess): RunnerParts['server'] {
  return {
    get settings() {
      return node.disk.settings;
    },
    configure: (settings, postmaster) => {
      node.disk.settings = settings;
      postmaster?.signal('SIGHUP');
    },
    start: (as, upstream) =>
      postmasterOf(node, process, node.startPostgres(as === 'itself', sourceIn(upstream)), as, upstream),
    repoint: (postmaster, upstream) => {
      postmaster.upstream = upstream;
      node.server?.receiver.repoint(sourceIn(upstream));
    },
    endUnwantedReceivers: () => undefined,
    takeBackAltered: () => undefined,
    forget: () => undefined,
  };
}

function sourceIn(upstream: Upstream | null): Source | null {
  return upstream === null ? null : { node: upstream.node, slot: upstream.slot ?? null };
}

function postmasterOf(
  node: SimNode,
  process: SimProcess,
  server: Server,
  as: 'standby' | 'itself',
  upstream: Upstream | null,
): RunningPostmaster {
  const { database } = server;
  let told = database.control;
  let isReady = false;
  let isOut = false;
  const postmaster: RunningPostmaster = {
    startedAt: process.clock.now(),
    asItself: as === 'itself',
    upstream,
    asked: false,
    pid: server.pid,
    exited: new Promise<PostmasterExit>((resolve) =>
      server.onExit(({ code, signal }) =>
        node.world.schedule(node.random.between(0.1, 2), () =>
          process.deliver(() => resolve({ code, signal, at: process.clock.now(), asked: postmaster.asked })),
        ),
      ),
    ),
    get isReady() {
      return isReady;
    },
    get inRecovery() {
      return !isOut;
    },
    get control() {
      const { control, systemId } = database;
      return { ...control, systemId, checkpointLsn: lsnText(control.checkpoint) };
    },
    lastFatal: null,
    get walGone() {
      return server.receiver.whyWalIsGone;
    },
    forgetWalGone: () => undefined,
    poll: () => {
      if (!server.hasPostmaster) return false;
      const { control } = database;
      const isOutNow = isOut || (control.inProduction && !database.hasStandbySignal);
      const hasChanged = control !== told || isReady !== server.isReady || isOut !== isOutNow;
      told = control;
      isReady = server.isReady;
      isOut = isOutNow;
      return hasChanged;
    },
    signal: (signal) => {
      if (signal === 'SIGINT') server.stopFast();
      if (signal === 'SIGHUP') server.reload(node.disk.settings);
    },
  };
  return postmaster;
}
