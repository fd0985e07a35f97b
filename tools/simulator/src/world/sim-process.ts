import type { Timer } from '@ha-postgres/service-kit';
import type { MachineClock } from '@ha-postgres/db-controller/controller';
import type { MachineTime } from './machine-time';
import type { World } from './world';

/** How often a timer looks at a clock that stands still. */
const LOOK_MS = 1;

interface Due {
  readonly run: () => void;
  cancelled: boolean;
}

/**
 * A process of the operating system. Whatever reaches it (a timer, an answer) comes through {@link deliver}: it waits while
 * the process is frozen, and is lost when it is dead. Promises then need no care of their own.
 */
export class SimProcess {
  private state: 'running' | 'frozen' | 'dead' = 'running';
  private held: Due[] = [];
  private readonly exits = new Set<() => void>();
  readonly clock: MachineClock;

  constructor(
    readonly name: string,
    private readonly world: World,
    private readonly time: MachineTime,
    /** Further milliseconds that a timer is late, for the machine is busy. */
    private readonly late: () => number = () => 0,
  ) {
    this.clock = {
      now: () => time.now(),
      wallNow: () => time.wallNow(),
      schedule: (ms, fn) => this.schedule(ms, fn),
      soon: (fn) => void world.schedule(0, () => this.deliver(fn)),
      pause: (ms, signal) => this.pauseFor(ms, signal),
    };
  }

  get isAlive(): boolean {
    return this.state !== 'dead';
  }

  get isRunning(): boolean {
    return this.state === 'running';
  }

  deliver(run: () => void): void {
    this.take({ run, cancelled: false });
  }

  /** Returns what takes it back. */
  onExit(run: () => void): () => void {
    this.exits.add(run);
    return () => void this.exits.delete(run);
  }

  freeze(): void {
    if (this.state === 'running') this.state = 'frozen';
  }

  /** What came meanwhile happens now, in the order in which it came. */
  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'running';
    for (const due of this.held.splice(0)) this.world.schedule(0, () => this.take(due));
  }

  kill(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.held = [];
    const exits = [...this.exits];
    this.exits.clear();
    for (const run of exits) run();
  }

  private take(due: Due): void {
    if (due.cancelled) return;
    if (this.state === 'running') due.run();
    else if (this.state === 'frozen') this.held.push(due);
  }

  private schedule(ms: number, run: () => void): Timer {
    const due: Due = { run, cancelled: false };
    const at = this.time.now() + Math.max(0, ms);
    const wait = (): void => {
      if (due.cancelled || this.state === 'dead') return;
      // The machine's clock may have stood still meanwhile.
      const left = at - this.time.now();
      if (left > 1e-6) timer = this.world.schedule(Math.max(LOOK_MS, this.time.inWorld(left)), wait);
      else this.take(due);
    };
    let timer = this.world.schedule(this.time.inWorld(ms) + this.late(), wait);
    return {
      cancel: () => {
        due.cancelled = true;
        timer.cancel();
      },
    };
  }

  private pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const done = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.schedule(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
