import { setTimeout as delay } from 'node:timers/promises';
import { History, startLoad, targetsOf, type Load, type Verdict } from '@ha-postgres/checker';
import { clusterKeys } from '@ha-postgres/cluster-state';
import { waitFor } from '../waiting';
import type { EventList } from './event-list';
import { MasterTimeline, type MasterSight } from './master-timeline';
import type { ShownCluster } from './shown-cluster';

const NOTHING = new History();

/** A running cluster with a client that writes, and everything that is noted about it. */
export class Stage {
  readonly timeline: MasterTimeline;
  private load: Load | null = null;

  constructor(
    readonly cluster: ShownCluster,
    readonly events: EventList,
  ) {
    const { consul } = cluster.describe();
    this.timeline = new MasterTimeline(consul.http, clusterKeys(consul.prefix).master, (now, before) =>
      this.noteMaster(now, before),
    );
    cluster.onEvent(({ event, member, process, text }) => {
      if (event === 'role.changed') events.add(`${member} is ${text}`);
      if (event === 'process.exited') events.add(`${member}/${process ?? ''} ${text}`);
      if (event === 'pod.changed') events.add(`${member} ${text}`);
    });
  }

  /** What the client has done so far. */
  get history(): History {
    return this.load?.history ?? NOTHING;
  }

  /** Starts the client, and waits until inserts have been acknowledged for a while without a failure. */
  async begin(signal: AbortSignal): Promise<void> {
    this.timeline.start();
    const targets = targetsOf(this.cluster.describe());
    // The way of every client: the first load balancer's master port.
    this.load = await startLoad({ ...targets, masters: targets.masters.slice(0, 1), probeEveryMs: null }, signal);
    await this.load.moreWrites(200, 60_000, signal);
    const master = await waitFor(() => runningMaster(this.timeline.current), {
      what: 'a running Master',
      timeoutMs: 10_000,
      signal,
    });
    this.events.add(`settled: ${master} is Master and takes writes`);
    await delay(1_000, undefined, { signal });
  }

  /** Ends the client, and judges what it was told by what is stored. */
  async end(): Promise<Verdict> {
    if (this.load === null) throw new Error('the stage has not begun');
    const verdict = await this.load.finish();
    this.timeline.stop();
    if (verdict.lost === null) this.events.add('the inserts cannot be counted: nobody answers');
    return verdict;
  }

  private noteMaster({ value, isHeld }: MasterSight, before: MasterSight | null): void {
    if (value === null) return;
    const { node, term, phase, released } = value;
    if (released) this.events.add(`${node} has released the lock of term ${term}`);
    else if (!isHeld) this.events.add(`the lock of term ${term}, ${node}'s, is free`);
    else if (before?.value?.term !== term) this.events.add(`${node} is elected: holds the lock, term ${term}`);
    if (isHeld && phase === 'running' && before?.value?.phase !== 'running')
      this.events.add(`${node} runs as Master of term ${term}`);
  }
}

/** The name of the Master if the key says that one runs, else null. */
export function runningMaster(sight: MasterSight | null): string | null {
  return sight?.isHeld === true && sight.value?.phase === 'running' ? sight.value.node : null;
}
