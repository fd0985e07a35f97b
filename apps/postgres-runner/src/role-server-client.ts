import { setTimeout as delay } from 'node:timers/promises';
import type { RoleAnswer, RunnerReport } from '@ha-postgres/cluster-state';
import { HttpConnections, addressOf, type HttpAnswer } from '@ha-postgres/lean-http';
import { messageOf, monotonicNow, type Log } from '@ha-postgres/service-kit';
import { delayAfter, type BackoffPolicy } from './core/backoff';
import { readRoleAnswer } from './core/role-answer';

/** How long one question may wait for news, and how much longer for its answer. */
const WAIT_SECONDS = 30;
const POLL_TIMEOUT_MS = (WAIT_SECONDS + 5) * 1_000;
/** The role-server is on this machine: an answer that takes longer is worth less than a newer report. */
const POST_TIMEOUT_MS = 500;
const POLL_BACKOFF: BackoffPolicy = { firstMs: 50, lastMs: 1_000 };
/** Before a decision the role-server answers at once with 503: asked so often, a start is not delayed. */
const UNDECIDED_MS = 100;
/** An answer without news that came sooner did not wait as asked. */
const NO_NEWS_MIN_MS = 500;
const BODY_BYTES_MAX = 1_000_000;

const JSON_BODY = { Accept: 'application/json', 'Content-Type': 'application/json' };
const NO_BODY = { Accept: 'application/json' };

export interface RoleServerListener {
  /** Index of the newest accepted answer: the question waits for a higher one. */
  readonly index: () => number;
  /** Takes an answer; false if it is ignored. */
  readonly onAnswer: (answer: RoleAnswer) => boolean;
}

/** Asks the role-server for ever what to do, and tells it how things stand. */
export class RoleServerClient {
  readonly #base: string;
  readonly #log: Log;
  readonly #end = new AbortController();
  readonly #server: HttpConnections;
  #posting: Promise<void> | null = null;
  #next: string | null = null;
  #isReachable: boolean | null = null;

  constructor(baseUrl: string, log: Log) {
    this.#base = new URL('controller/', baseUrl).pathname;
    this.#log = log;
    this.#server = new HttpConnections(addressOf(baseUrl), { bodyBytesMax: BODY_BYTES_MAX });
  }

  /** Polls until `close`. */
  async poll(listener: RoleServerListener): Promise<void> {
    let failures = 0;
    while (!this.#end.signal.aborted) {
      const pauseMs = await this.#pollOnce(listener);
      failures = pauseMs === null ? failures + 1 : 0;
      const waitMs = pauseMs ?? delayAfter(failures, POLL_BACKOFF);
      if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }

  /** Sends a report. One is under way at a time, and of those that wait only the newest is sent. */
  post(report: RunnerReport): void {
    this.#next = JSON.stringify(report);
    this.#posting ??= this.#postAll().finally(() => {
      this.#posting = null;
    });
  }

  /** Waits until the newest report was sent, or has failed. Bounded. */
  async flush(): Promise<void> {
    await this.#posting;
  }

  close(): void {
    this.#end.abort(new Error('the runner ends'));
    this.#server.close();
  }

  /** Milliseconds to wait before the next question; null if this one failed. */
  async #pollOnce({ index, onAnswer }: RoleServerListener): Promise<number | null> {
    const began = monotonicNow();
    const path = `role?index=${index()}&wait=${WAIT_SECONDS}s`;
    try {
      const reply = await this.#ask(path, POLL_TIMEOUT_MS);
      if (reply.status === 503) return this.#undecided(began);
      if (reply.status !== 200) throw new Error(`${path} is answered ${reply.status}: ${reply.body.slice(0, 200)}`);
      const read = readRoleAnswer(reply.body);
      if (!read.ok) throw new Error(`the answer to ${path} cannot be read: ${read.why}`);
      this.#reached();
      if (onAnswer(read.answer)) return 0;
      return monotonicNow() - began < NO_NEWS_MIN_MS ? POLL_BACKOFF.firstMs : 0;
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  #undecided(began: number): number {
    this.#reached();
    return monotonicNow() - began < UNDECIDED_MS ? UNDECIDED_MS : 0;
  }

  #reached(): void {
    if (this.#isReachable !== true) this.#log.info({ event: 'role_server.reached' }, 'the role-server answers');
    this.#isReachable = true;
  }

  #failed(error: unknown): void {
    if (this.#end.signal.aborted) return;
    const fields = { event: 'role_server.unreachable', err: messageOf(error) };
    if (this.#isReachable === false) this.#log.debug(fields, 'the role-server still does not answer');
    else this.#log.warn(fields, 'the role-server does not answer: asking again');
    this.#isReachable = false;
  }

  async #postAll(): Promise<void> {
    for (let body = this.#next; body !== null && !this.#end.signal.aborted; body = this.#next) {
      this.#next = null;
      try {
        const { status } = await this.#ask('runner', POST_TIMEOUT_MS, body);
        if (status >= 400) this.#log.debug({ event: 'report.refused', status }, 'the report was not taken');
      } catch (error) {
        // The next one comes within a second, and says everything again.
        this.#log.debug({ event: 'report.failed', err: messageOf(error) }, 'the report was not sent');
      }
    }
  }

  /** One request, bounded; it ends as well when the connections are closed. */
  async #ask(path: string, timeoutMs: number, body?: string): Promise<HttpAnswer> {
    const { answer, cut } = this.#server.send({
      method: body === undefined ? 'GET' : 'POST',
      path: this.#base + path,
      headers: body === undefined ? NO_BODY : JSON_BODY,
      body,
    });
    const limit = setTimeout(() => cut(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      return await answer;
    } finally {
      clearTimeout(limit);
    }
  }
}
