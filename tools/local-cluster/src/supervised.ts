import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { monotonicNow, type Millis } from '@ha-postgres/service-kit';
import { nextPause } from './back-off';

/** One process: what to run, and where. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
}

export interface ExitNote {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Listener {
  onStarted(name: string, pid: number): void;
  onExited(name: string, exit: ExitNote, restartInMs: number | null): void;
}

/** A process that is started again, after a growing pause, whenever it ends, unless it is to stay down. */
export class Supervised {
  readonly spec: ProcessSpec;
  private readonly listener: Listener;
  private child: ChildProcess | null = null;
  private startedAt: Millis = 0;
  private pauseMs = 0;
  private restart: NodeJS.Timeout | null = null;
  private wanted = false;

  constructor(spec: ProcessSpec, listener: Listener) {
    this.spec = spec;
    this.listener = listener;
  }

  /** Its process number while it runs, else null. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** True if it is down and stays so until `start`. */
  get isKeptDown(): boolean {
    return !this.wanted;
  }

  /** Wants it up: starts it at once if it is down. */
  start(): void {
    this.wanted = true;
    this.pauseMs = 0;
    if (this.child === null) this.launch();
  }

  /** From now on it is not started again; what runs is left alone. */
  keepDown(): void {
    this.wanted = false;
    this.cancelRestart();
  }

  /** Sends a signal if it runs. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Asks it to end by SIGTERM, kills it when it has not within `graceMs`, and resolves once it is gone. It stays down. */
  async stop(graceMs: number): Promise<void> {
    this.keepDown();
    const child = this.child;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    // A stopped (frozen) process acts on SIGTERM only when it is continued.
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await gone;
    clearTimeout(timer);
  }

  private launch(): void {
    this.cancelRestart();
    mkdirSync(this.spec.cwd, { recursive: true });
    mkdirSync(dirname(this.spec.logFile), { recursive: true });
    const log = openSync(this.spec.logFile, 'a');
    const { command, args, cwd, env } = this.spec;
    // A session of its own: Ctrl-C in the terminal reaches only the supervisor, which then ends everything in order.
    const child = spawn(command, [...args], { cwd, env, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.child = child;
    this.startedAt = monotonicNow();
    child.once('error', (error) => {
      if (child.pid === undefined)
        this.ended(child, { pid: 0, code: (error as NodeJS.ErrnoException).errno ?? 127, signal: null });
    });
    child.once('exit', (code, signal) => {
      this.ended(child, { pid: child.pid ?? 0, code, signal });
    });
    if (child.pid !== undefined) this.listener.onStarted(this.spec.name, child.pid);
  }

  private ended(child: ChildProcess, exit: ExitNote): void {
    if (this.child !== child) return;
    this.child = null;
    if (!this.wanted) {
      this.listener.onExited(this.spec.name, exit, null);
      return;
    }
    this.pauseMs = nextPause(this.pauseMs, monotonicNow() - this.startedAt);
    this.restart = setTimeout(() => this.launch(), this.pauseMs);
    this.listener.onExited(this.spec.name, exit, this.pauseMs);
  }

  private cancelRestart(): void {
    if (this.restart !== null) clearTimeout(this.restart);
    this.restart = null;
  }
}
