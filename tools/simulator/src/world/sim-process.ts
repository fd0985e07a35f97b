import { pause, type Timer } from '@ha-postgres/service-kit';
import type { MachineClock } from '@ha-postgres/db-controller/controller';
import type { MachineTime } from './machine-time';
import type { World } from './world';

/** How often a timer looks at a clock that stands still. */
const LOOK_MS = 1;

interface Due {
  run(): void;
}

const NOTHING = (): void => undefined;

/** Goes off by the clock of its machine, which may stand still meanwhile. */
class ProcessTimer implements Timer, Due {
  private timer: Timer;

  constructor(
    private readonly process: SimProcess,
    private readonly world: World,
    private readonly time: MachineTime,
    private readonly at: number,
    private then: () => void,
    lateMs: number,
  ) {
    this.timer = world.schedule(time.inWorld(at - time.now()) + lateMs, () => this.look());
  }

  run(): void {
    this.then();
  }

  cancel(): void {
    // What is cancelled is not let go by the queue before its time.
    this.then = NOTHING;
    this.timer.cancel();
  }

  private look(): void {
    if (!this.process.isAlive) return;
    const left = this.at - this.time.now();
    if (left > 1e-6) this.timer = this.world.schedule(Math.max(LOOK_MS, this.time.inWorld(left)), () => this.look());
    else this.process.take(this);
  }
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
      pause: (ms, signal) => pause(ms, signal, this.clock),
    };
  }

  get isAlive(): boolean {
    return this.state !== 'dead';
  }

  get isRunning(): boolean {
    return this.state === 'running';
  }

  deliver(run: () => void): void {
    if (this.state === 'running') run();
    else if (this.state === 'frozen') this.held.push({ run });
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

  /** Now, once it is thawed, or never. */
  take(due: Due): void {
    if (this.state === 'running') due.run();
    else if (this.state === 'frozen') this.held.push(due);
  }

  private schedule(ms: number, run: () => void): Timer {
    return new ProcessTimer(this, this.world, this.time, this.time.now() + Math.max(0, ms), run, this.late());
  }
}
