import { setTimeout as delay } from 'node:timers/promises';
import { startLoad, targetsOf } from '@ha-postgres/checker';
import { monotonicNow } from '@ha-postgres/service-kit';
import { replaceFile } from '../atomic-file';
import { SETTLE_MS } from '../carry-out';
import type { LocalCluster } from '../local-cluster';
import type { ClusterOptions } from '../options';
import { unlessNothingRuns } from '../nothing-runs';
import { ownCluster } from '../owner';
import { waitUntilSettled } from '../settled';
import { drawFault, drawsOf, type Members } from './chaos-faults';
import { chaosReport, describeChaos, survivedChaos, type FaultDone } from './chaos-report';
import { EventList } from './event-list';
import type { Output } from './screen';

export interface ChaosOptions {
  readonly cluster: ClusterOptions;
  /** For how long faults are done. */
  readonly minutes: number;
  readonly seed: number;
  readonly json: string | null;
  readonly output: Output;
}

/** Until then a cluster must be whole again after a fault: a base backup of a small database included. */
const WHOLE_MS = 120_000;
/** A write that waits for a Replica is not one that failed. */
const PATIENT_MS = 5_000;

/** Random faults in a row on a cluster under load; true if it survived them all by itself, with nothing lost. */
export async function runChaos(options: ChaosOptions, signal: AbortSignal): Promise<boolean> {
  const { output, seed, minutes } = options;
  const events = new EventList((line) => output.write(`${line}\n`));
  const { cluster, stop } = await ownCluster(options.cluster, {
    onDown: () => process.kill(process.pid, 'SIGTERM'),
    signal,
  });
  try {
    await waitUntilSettled(() => cluster.describe(), SETTLE_MS, signal);
    const clients = [
      { everyMs: 10, isFresh: false },
      { everyMs: 50, isFresh: true },
    ];
    const load = await startLoad({ ...targetsOf(cluster.describe()), clients, timeoutMs: PATIENT_MS }, signal);
    events.add(`settled; faults for ${minutes} minutes, seed ${seed}`);
    const done = await strikeAgainAndAgain(cluster, options, events, signal);
    const verdict = await load.finish();
    const { replication = 'async' } = options.cluster.settings;
    const report = chaosReport({ seed, minutes, replication, done }, verdict);
    for (const line of describeChaos(report)) output.write(`${line}\n`);
    if (options.json !== null) replaceFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    return survivedChaos(report);
  } finally {
    cluster.removeAllListeners();
    await stop(0);
  }
}

/** One fault after the other, each when the cluster has recovered from the one before; ends at one that it does not recover from. */
async function strikeAgainAndAgain(
  cluster: LocalCluster,
  { minutes, seed, cluster: { netns = false } }: ChaosOptions,
  events: EventList,
  signal: AbortSignal,
): Promise<readonly FaultDone[]> {
  const draw = drawsOf(seed);
  const done: FaultDone[] = [];
  const until = monotonicNow() + minutes * 60_000;
  while (monotonicNow() < until) {
    const fault = drawFault(draw, membersOf(cluster, netns));
    events.add(`${done.length + 1}. ${fault.text}${fault.lastsMs > 0 ? `, for ${fault.lastsMs} ms` : ''}`);
    const struckAt = monotonicNow();
    if (!(await unlessNothingRuns(() => fault.strike(cluster)))) {
      events.add('nothing runs there at this moment');
      await waitUntilSettled(() => cluster.describe(), WHOLE_MS, signal);
      continue;
    }
    await delay(fault.lastsMs, undefined, { signal });
    // What was frozen may have been killed by a fence.
    await unlessNothingRuns(() => fault.mend(cluster));
    const isWhole = await waitUntilSettled(() => cluster.describe(), WHOLE_MS, signal).then(
      () => true,
      (error: unknown) => {
        signal.throwIfAborted();
        events.add((error as Error).message);
        return false;
      },
    );
    const wholeAfterMs = isWhole ? Math.round(monotonicNow() - struckAt) : null;
    done.push({ text: fault.text, wholeAfterMs });
    if (wholeAfterMs === null) break;
    events.add(`whole again after ${wholeAfterMs} ms`);
  }
  return done;
}

function membersOf(cluster: LocalCluster, hasNetwork: boolean): Members {
  const { nodes, loadBalancers } = cluster.describe();
  return {
    nodes: nodes.map(({ name }) => name),
    loadBalancers: loadBalancers.map(({ name }) => name),
    master: nodes.find(({ role }) => role === 'Master')?.name ?? null,
    hasNetwork,
  };
}
