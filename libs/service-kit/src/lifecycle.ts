import { codeOf, exitCodeOf } from './coded-error';
import type { Log } from './log';

type Stop = () => Promise<void> | void;

/** The part of `process` that ends a service. */
export interface ProcessEvents {
  on(event: 'SIGTERM' | 'SIGINT', listener: (signal: string) => void): unknown;
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
}

/** From running to exit: one way, whatever asks for it first, however often it is asked. */
export class Lifecycle {
  readonly #abort = new AbortController();
  readonly #stops: Stop[] = [];
  readonly #log: Log;
  readonly #stopTimeoutMs: number;
  readonly #exit: (code: number) => void;

  constructor(log: Log, stopTimeoutMs: number, exit: (code: number) => void) {
    this.#log = log;
    this.#stopTimeoutMs = stopTimeoutMs;
    this.#exit = exit;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isStopping(): boolean {
    return this.#abort.signal.aborted;
  }

  /** What is added while the service already stops is done at once: it was opened after the others were closed. */
  onStop(stop: Stop): void {
    this.#stops.push(stop);
    if (this.isStopping && !this.#isDraining) void this.#drain();
  }

  watchProcess(events: ProcessEvents): void {
    events.on('SIGTERM', (signal) => this.stop(signal));
    events.on('SIGINT', (signal) => this.stop(signal));
    events.on('uncaughtException', (error) => this.fail(error));
    events.on('unhandledRejection', (error) => this.fail(error));
  }

  /** Stops as asked for: exit code 0 if everything stopped in time. */
  stop(reason: string): void {
    if (this.isStopping) return;
    this.#log.info({ event: 'app.stopping', reason }, `stopping because of ${reason}`);
    this.#end(0);
  }

  /** Stops because of an error: its exit code. An error while stopping is logged and changes nothing. */
  fail(error: unknown): void {
    this.#log.fatal({ event: 'app.failed', err: error, code: codeOf(error) }, 'fatal error');
    if (!this.isStopping) this.#end(exitCodeOf(error));
  }

  #isDraining = false;
  #hasStopFailed = false;

  #end(code: number): void {
    const deadline = setTimeout(() => {
      this.#log.error({ event: 'app.stop_timeout', stopTimeoutMs: this.#stopTimeoutMs }, 'stopping took too long');
      this.#exit(code === 0 ? 1 : code);
    }, this.#stopTimeoutMs);
    this.#abort.abort(new Error('the service stops'));
    void this.#drain().then(() => {
      clearTimeout(deadline);
      const exitCode = code === 0 && this.#hasStopFailed ? 1 : code;
      this.#log.info({ event: 'app.stopped', exitCode }, 'stopped');
      this.#exit(exitCode);
    });
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await this.#stopOne(stop);
    this.#isDraining = false;
  }

  async #stopOne(stop: Stop): Promise<void> {
    try {
      await stop();
    } catch (error) {
      this.#hasStopFailed = true;
      this.#log.error({ event: 'app.stop_failed', err: error }, 'a part did not stop cleanly');
    }
  }
}
