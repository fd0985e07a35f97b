import { Supervised, type Listener, type ProcessSpec } from './supervised';
import { NothingRuns } from './nothing-runs';
import { postmasterPid, processState, processesUnder, signalAll } from './processes';
import { waitFor } from './waiting';

export interface MemberPlace {
  readonly name: string;
  readonly kind: 'node' | 'load balancer' | 'consul server';
  readonly dir: string;
  /** Set for a node: PostgreSQL's processes are the ones that work there. */
  readonly dataDir?: string;
}

/** How long the kernel may take to end, stop or continue processes, in milliseconds. */
const SIGNAL_TAKES_MS = 10_000;

/** The processes that stand and fall together: a node, a load balancer, or a Consul server. */
export class Member {
  readonly place: MemberPlace;
  readonly processes: ReadonlyMap<string, Supervised>;

  constructor(place: MemberPlace, specs: readonly ProcessSpec[], listener: Listener) {
    this.place = place;
    this.processes = new Map(specs.map((spec) => [spec.name, new Supervised(spec, listener)]));
  }

  get name(): string {
    return this.place.name;
  }

  /** The postmaster, for a node on which one runs. */
  get postgresPid(): number | null {
    return this.place.dataDir === undefined ? null : postmasterPid(this.place.dataDir);
  }

  /** Names and numbers of all processes, PostgreSQL's postmaster included; null: not running. */
  pids(): Record<string, number | null> {
    const supervised = Object.fromEntries([...this.processes].map(([name, process]) => [name, process.pid]));
    return this.place.dataDir === undefined ? supervised : { ...supervised, postgres: this.postgresPid };
  }

  start(name?: string): void {
    for (const process of this.chosen(name)) process.start();
  }

  /** Kills one process (`postgres`: the postmaster alone), or the whole member, which then stays down. */
  async kill(name: string | undefined, keepDown: boolean): Promise<void> {
    if (name === 'postgres') this.killPostmaster(keepDown);
    else if (name === undefined) await this.killAll();
    else {
      for (const process of this.chosen(name)) {
        if (keepDown) process.keepDown();
        process.signal('SIGKILL');
      }
    }
  }

  /** Stops the processes where they are (SIGSTOP), and those that were born meanwhile. */
  async freeze(name?: string): Promise<void> {
    await this.signalUntil(name, 'SIGSTOP', (state) => state === 'T');
  }

  /** Lets frozen processes go on (SIGCONT). */
  async thaw(name?: string): Promise<void> {
    await this.signalUntil(name, 'SIGCONT', (state) => state !== 'T');
  }

  /** Ends processes in order (SIGTERM, bounded by `graceMs`) and leaves them down. */
  async stop(graceMs: number, name?: string): Promise<void> {
    await Promise.all(this.chosen(name).map((process) => process.stop(graceMs)));
  }

  /** Ends all but the Consul process, which the last words of the others go through. */
  async stopServices(graceMs: number): Promise<void> {
    const services = [...this.processes.values()].filter(({ spec }) => spec.name !== 'consul');
    await Promise.all(services.map((process) => process.stop(graceMs)));
  }

  async restart(graceMs: number, name?: string): Promise<void> {
    await this.stop(graceMs, name);
    this.start(name);
  }

  private chosen(name?: string): Supervised[] {
    if (name === undefined) return [...this.processes.values()];
    const process = this.processes.get(name);
    if (process === undefined) {
      const known = Object.keys(this.pids()).join(', ');
      throw new RangeError(
        `${this.name} has no process ${JSON.stringify(name)} of which this can be asked; it has: ${known}`,
      );
    }
    return [process];
  }

  private killPostmaster(keepDown: boolean): void {
    if (keepDown)
      throw new RangeError(`${this.name}/postgres cannot be kept down: postgres-runner decides; kill or freeze that`);
    const pid = this.postgresPid;
    if (pid === null) throw new NothingRuns(`${this.name}: no PostgreSQL runs there`);
    signalAll([pid], 'SIGKILL');
  }

  private async killAll(): Promise<void> {
    for (const process of this.processes.values()) process.keepDown();
    await waitFor(
      () => signalAll(this.numbers(), 'SIGKILL') === 0 && [...this.processes.values()].every(({ pid }) => pid === null),
      {
        what: `the end of ${this.name}`,
        timeoutMs: SIGNAL_TAKES_MS,
        everyMs: 5,
      },
    );
  }

  private async signalUntil(
    name: string | undefined,
    signal: NodeJS.Signals,
    isDone: (state: string) => boolean,
  ): Promise<void> {
    if (this.numbers(name).length === 0)
      throw new NothingRuns(`${[this.name, name].filter(Boolean).join('/')}: nothing runs there`);
    await waitFor(
      () => {
        const left = this.numbers(name).filter(
          (pid) => !isDone(processState(pid) ?? 'Z') && processState(pid) !== null,
        );
        signalAll(left, signal);
        return left.length === 0;
      },
      { what: `${signal} to take effect on ${this.name}`, timeoutMs: SIGNAL_TAKES_MS, everyMs: 2 },
    );
  }

  /** The processes meant by a name, as numbers: `postgres` is everything that works in the data directory. */
  private numbers(name?: string): number[] {
    if (name === undefined) return processesUnder(this.place.dir);
    if (name === 'postgres' && this.place.dataDir !== undefined) return processesUnder(this.place.dataDir);
    return this.chosen(name).flatMap(({ pid }) => (pid === null ? [] : [pid]));
  }
}
