import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLoad, targetsOf, type LoadOptions } from '@ha-postgres/checker';
import { DEFAULT_SIZE, RemoteCluster, requireNamespaces, WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { monotonicNow } from '@ha-postgres/service-kit';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';
import type { StoryOptions } from '../with-cluster';
import { Fault } from './fault';
import { figuresOf, lostButSent } from './figures';
import { isChosen, runsOf, type Half } from './half';
import { forgetResult, writeResult, type Figures } from './result';
import { ROWS } from './rows';
import { becomesWhole, takeBackEverything } from './whole';

export interface RowOptions {
  /** Run by continuous integration each time, or only with `FAULTS=all`. */
  readonly half: Half;
  /** Tells variants of a row apart, in the table. */
  readonly variant?: string;
  /** How often it is run with `FAULTS=all`. Default 3. */
  readonly runs?: number;
  /** Acknowledged writes may be lost that had not been sent to a Replica yet: asynchronous replication. Default false. */
  readonly mayLoseUnsent?: boolean;
  /** So many writes may be acknowledged by a former Master: a frozen node that thaws, in asynchronous replication. Default 0. */
  readonly mayBeLate?: number;
  /** What the load does differently. */
  readonly load?: Partial<LoadOptions>;
  /** Bound of one run, in milliseconds. Default 180 s. */
  readonly timeoutMs?: number;
}

export interface FaultCluster {
  /** Tests one row of the table (or a variant of one) on the cluster, and keeps its figures for `docs/faults.md`. */
  row(number: number, options: RowOptions, tell: (fault: Fault) => Promise<void>): void;
}

const RESULTS = join(WORKSPACE_ROOT, 'tmp', 'fault-results');
const RUN_MS = 180_000;
const WRITES_BEFORE = 100;
const SIZE = { ...DEFAULT_SIZE, consulServers: 3, netns: true };

/** One cluster for all rows of a file. Where namespaces cannot be had, the rows are left out, and say so. */
export function faultCluster(options: StoryOptions = {}): FaultCluster {
  const why = whyImpossible(options.netns ?? SIZE.netns);
  const workdir = why === null ? realpathSync(mkdtempSync(join(tmpdir(), 'hapg-fault-'))) : '';
  const replication = options.settings?.replication ?? 'async';
  let started: { cluster: RemoteCluster; stop: () => Promise<void> } | null = null;
  let hasFailed = false;

  /** The first row that is run starts it: a file may have none that is chosen. */
  const clusterNow = async (): Promise<RemoteCluster> => {
    started ??= await RemoteCluster.start({ ...SIZE, settings: {}, ...options, workdir });
    return started.cluster;
  };
  if (why === null) {
    afterAll(async () => {
      await started?.stop();
      if (!hasFailed) rmSync(workdir, { recursive: true, force: true });
    });
  }

  return {
    row: (number, given, tell) => {
      const text = ROWS.find((row) => row.number === number);
      if (text === undefined) throw new RangeError(`there is no row ${number}`);
      const { variant = '', runs = 3, timeoutMs = RUN_MS, half } = given;
      const title = `row ${number}: ${variant === '' ? text.fault : variant}: ${text.holds}`;
      if (why !== null) {
        it.skip(`${title} (${why})`, () => undefined);
        return;
      }
      if (!isChosen(half)) {
        it.skip(title, () => undefined);
        return;
      }
      const count = runsOf(runs);
      it(
        title,
        async () => {
          const done: Figures[] = [];
          const keep = (failure: string | null) =>
            writeResult(RESULTS, {
              row: number,
              variant,
              half,
              at: new Date().toISOString(),
              replication,
              runs: done,
              failure,
            });
          forgetResult(RESULTS, { row: number, variant });
          try {
            const cluster = await clusterNow();
            for (let run = 1; run <= count; run += 1) {
              const name = `row${number}-${variant.replace(/\W+/g, '-')}-${run}`;
              done.push(await oneRun(cluster, given, join(workdir, 'logs', `${name}-${Date.now()}.jsonl`), tell));
            }
            keep(null);
          } catch (cause) {
            hasFailed = true;
            const message = cause instanceof Error ? cause.message : String(cause);
            keep(message.split('\n')[0] ?? '');
            if (started !== null) await takeBackEverything(started.cluster);
            throw new Error(`${message}\n(the logs: ${join(workdir, 'logs')})`, { cause });
          }
        },
        timeoutMs * count,
      );
    },
  };
}

async function oneRun(
  cluster: RemoteCluster,
  { load: options, mayLoseUnsent = false, mayBeLate = 0 }: RowOptions,
  historyFile: string,
  tell: (fault: Fault) => Promise<void>,
): Promise<Figures> {
  await becomesWhole(cluster);
  const described = cluster.describe();
  const { node, term } = await eventually('Consul to tell the key', () => masterKey(described));
  const load = await startLoad({ ...targetsOf(described), ...options, historyFile });
  const fault = new Fault(cluster, load, described, cluster.node(node), term);
  try {
    await load.moreWrites(WRITES_BEFORE);
    await tell(fault);
    const hands = await becomesWhole(cluster);
    const wholeAt = monotonicNow();
    await load.moreWrites(WRITES_BEFORE);
    const { struckAt, mendedAt } = fault;
    const verdict = await load.finish({ allowLost: mayLoseUnsent ? Number.MAX_SAFE_INTEGER : 0, allowLate: mayBeLate });
    expect(verdict.violations).toEqual([]);
    expect(lostButSent(load.history, verdict, struckAt, BEAT_MS).map(({ id }) => id)).toEqual([]);
    expect(verdict.writersAtOnceMax).toBeLessThanOrEqual(mayBeLate > 0 ? 2 : 1);
    return figuresOf(load.history, verdict, { struckAt, mendedAt, wholeAt }, { term, hands });
  } finally {
    await load.stop();
    await fault.tidy();
  }
}

/** `heartbeatInterval`: what was acknowledged longer before the fault has been sent. */
const BEAT_MS = 500;

function whyImpossible(needsNamespaces: boolean): string | null {
  if (!needsNamespaces) return null;
  try {
    requireNamespaces();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
