import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setClock } from './clocks';
import type { ClusterFile, ClusterNode } from './cluster-file';
import { askOwner, type Command } from './control';
import { startDaemon } from './daemon-start';
import type { Slowness } from './network/links';
import type { ClusterOptions } from './options';
import { controlSocket } from './owner';
import { whatIsMissing } from './settled';

/** A cluster that another process owns: drive it by commands, read its truth from `cluster.json`. */
export class RemoteCluster {
  readonly workdir: string;

  constructor(workdir: string) {
    this.workdir = workdir;
  }

  /** Starts a cluster that ends with this process; resolves when it has settled. `stop` ends it. */
  static async start(options: ClusterOptions): Promise<{ cluster: RemoteCluster; stop: () => Promise<void> }> {
    const daemon = await startDaemon(options, true);
    return { cluster: new RemoteCluster(options.workdir), stop: () => ended(daemon) };
  }

  /** @throws Error if there is no `cluster.json`. */
  describe(): ClusterFile {
    return JSON.parse(readFileSync(join(this.workdir, 'cluster.json'), 'utf8')) as ClusterFile;
  }

  /** @throws RangeError if there is no node of that name. */
  node(name: string): ClusterNode {
    const node = this.describe().nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new RangeError(`no node ${JSON.stringify(name)} in ${this.workdir}`);
    return node;
  }

  /** The one node whose role is Master, or null while there is none or more than one. */
  get master(): ClusterNode | null {
    const masters = this.describe().nodes.filter((node) => node.role === 'Master');
    return masters.length === 1 ? (masters[0] ?? null) : null;
  }

  /** What is missing until a Master, streaming Replicas and the ways to them are there; null: nothing. */
  whatIsMissing(): Promise<string | null> {
    return whatIsMissing(this.describe());
  }

  kill(target: string, keepDown = false): Promise<void> {
    return this.ask({ do: 'kill', target, keepDown });
  }

  freeze(target: string): Promise<void> {
    return this.ask({ do: 'freeze', target });
  }

  thaw(target: string): Promise<void> {
    return this.ask({ do: 'thaw', target });
  }

  start(target: string): Promise<void> {
    return this.ask({ do: 'start', target });
  }

  restart(target: string): Promise<void> {
    return this.ask({ do: 'restart', target });
  }

  /**
   * Starts one more node (`node3`); it joins by a base backup. Resolves when its processes run, not when it streams.
   * @param settings options of its services beside those of all.
   */
  addNode(name: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    return this.ask({ do: 'add', node: name, settings });
  }

  /** Stops a node for good, and removes all that is on its disk; not the Master. */
  removeNode(name: string): Promise<void> {
    return this.ask({ do: 'remove', node: name });
  }

  /** Drops packets between members (names or groups such as `consul`, `replicas`, `all`); needs the option `netns`. */
  cut(from: string, to: string, isOneWay = false): Promise<void> {
    return this.ask({ do: 'cut', from, to, isOneWay });
  }

  /** Holds up packets between members, in both directions; `to` is everybody unless given. */
  slow(from: string, slowness: Partial<Slowness>, to?: string): Promise<void> {
    const whole = { delayMs: 0, jitterMs: 0, lossPercent: 0, ...slowness };
    return this.ask({ do: 'slow', from, slowness: whole, ...(to === undefined ? {} : { to }) });
  }

  /** Takes back every `cut` and `slow` between members; both are everybody unless given. */
  heal(from = 'all', to = 'all'): Promise<void> {
    return this.ask({ do: 'heal', from, to });
  }

  /** Sets a node's wall clock ahead of the machine's, or with a negative number behind it; needs the option `clocks`. */
  setClock(name: string, seconds: number): void {
    setClock(join(this.workdir, this.node(name).name), seconds);
  }

  private async ask(command: Command): Promise<void> {
    await askOwner(controlSocket(this.workdir), command);
  }
}

async function ended(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
  daemon.kill('SIGTERM');
  await gone;
}
