import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Upstream } from '@ha-postgres/cluster-state';
import { monotonicNow, type Log, type Millis } from '@ha-postgres/service-kit';
import { ControlFileReader, type ControlFile } from '../disk/control-file';
import type { Account } from './account';
import { PostgresLog } from './log-lines';
import { readPostmasterStatus } from './postmaster-file';

export interface PostmasterExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: Millis;
  readonly asked: boolean;
}

export interface PostmasterSource {
  readonly binDir: string;
  readonly dataDir: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly upstream: Upstream | null;
  /** The server ends its recovery by itself. */
  readonly asItself: boolean;
}

/** What a {@link Postmaster} offers; a simulated one offers the same. */
export type RunningPostmaster = { [K in keyof Postmaster]: Postmaster[K] };

/** A running PostgreSQL. It never starts anything again by itself. */
export class Postmaster {
  readonly startedAt: Millis = monotonicNow();
  readonly asItself: boolean;
  upstream: Upstream | null;
  /** Its end has been asked for: it is no surprise. */
  asked = false;
  readonly #dataDir: string;
  readonly #process: ChildProcess;
  readonly #lines: PostgresLog;
  readonly #exited: Promise<PostmasterExit>;
  readonly #control: ControlFileReader;
  #hasExited = false;
  #isOutOfRecovery = false;
  #isReady = false;

  /** @throws the file system's error if the control file cannot be read. */
  constructor(source: PostmasterSource, account: Account, log: Log) {
    this.#dataDir = source.dataDir;
    this.asItself = source.asItself;
    this.upstream = source.upstream;
    this.#control = new ControlFileReader(source.dataDir);
    const settings = Object.entries(source.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#process = spawn(join(source.binDir, 'postgres'), ['-D', source.dataDir, ...settings], {
      // From its first instruction on it is found by its working directory.
      cwd: source.dataDir,
      // A session of its own: no signal meant for the runner's group reaches it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', TZ: process.env.TZ ?? 'UTC' },
      ...account.spawn,
    });
    this.#lines = new PostgresLog(log);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#lines.push(text));
    }
    this.#exited = this.#watch();
  }

  get pid(): number | null {
    return this.#process.pid ?? null;
  }

  get exited(): Promise<PostmasterExit> {
    return this.#exited;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get inRecovery(): boolean {
    return !this.#isOutOfRecovery;
  }

  /** As `poll` saw it last. */
  get control(): ControlFile {
    return this.#control.current;
  }

  /** Looks at what PostgreSQL tells of itself on disk; true if that has changed. Cheap: to be called every 50 ms. */
  poll(): boolean {
    if (this.#hasExited) return false;
    let hasChanged = this.#readControl();
    if (!this.#isReady) {
      const status = readPostmasterStatus(this.#dataDir, this.pid ?? 0);
      this.#isReady = status === 'ready' || status === 'standby';
      hasChanged ||= this.#isReady;
    }
    if (!this.#isOutOfRecovery && this.#control.current.inProduction && !this.#hasStandbySignal()) {
      this.#isOutOfRecovery = true;
      hasChanged = true;
    }
    return hasChanged;
  }

  #readControl(): boolean {
    try {
      return this.#control.read();
    } catch {
      // Caught in the middle of a write: the next look, 50 ms later, finds it whole.
      return false;
    }
  }

  /**
   * "In production" in the control file may be left from before: a crashed primary's, or the source's in a base backup.
   * The signal file is written before every start of a standby, and PostgreSQL removes it when recovery ends, before
   * that is in the control file and before anybody can write. Source: `StartupXLOG` in xlog.c.
   */
  #hasStandbySignal(): boolean {
    return existsSync(join(this.#dataDir, 'standby.signal'));
  }

  /** Sends a signal to the postmaster. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** See {@link PostgresLog.walGone}. */
  get walGone(): string | null {
    return this.#lines.walGone;
  }

  forgetWalGone(): void {
    this.#lines.forgetWalGone();
  }

  /** The last thing that it said of its end; complete some milliseconds after the exit only. */
  get lastFatal(): string | null {
    return this.#lines.lastFatal;
  }

  async #watch(): Promise<PostmasterExit> {
    const end = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
      this.#process.once('error', (error) => {
        this.#lines.push(`${error.message}\n`);
        resolve({ code: null, signal: null });
      });
      this.#process.once('close', () => this.#lines.end());
    });
    this.#hasExited = true;
    this.#control.close();
    return { ...end, at: monotonicNow(), asked: this.asked };
  }
}
