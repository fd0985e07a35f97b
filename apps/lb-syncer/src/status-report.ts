import type { LbStatus } from '@ha-postgres/cluster-state';
import {
  opDeleteCas,
  opLock,
  reasonOf,
  type ConsulApi,
  type RefusalReason,
  type TxnOperation,
} from '@ha-postgres/consul-election';
import type { Log } from '@ha-postgres/service-kit';
import { Wakeup } from './wakeup';

export interface StatusReportOptions {
  readonly client: Pick<ConsulApi, 'kvGet' | 'transaction' | 'sessionCreate' | 'sessionRenew' | 'sessionDestroy'>;
  readonly key: string;
  readonly name: string;
  readonly log: Log;
  /** Default 10 s, the least that Consul takes; the key is gone at most twice as long after this process has ended. */
  readonly sessionTtlMs?: number;
}

const TTL_MS = 10_000;
const RETRY_MS = 1000;
const CALL_TIMEOUT_MS = 3000;

type Outcome = 'written' | 'retry';

/**
 * Keeps `lb/<name>/status` in Consul: written when it changed, locked by a session of this process with behaviour
 * `delete`, so that the report of a load balancer that has died does not stay. Best effort: routing never waits for it.
 */
export class StatusReport {
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  #wanted: string | null = null;
  #written: string | null = null;
  #session: string | null = null;
  #running: Promise<void> | null = null;

  constructor(private readonly options: StatusReportOptions) {}

  report(status: LbStatus): void {
    const text = JSON.stringify(status);
    if (text === this.#wanted) return;
    this.#wanted = text;
    this.#wakeup.ring();
  }

  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Takes the report back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (this.#session === null) return;
    await this.options.client
      .sessionDestroy(this.#session, { timeoutMs: RETRY_MS })
      .catch((error: unknown) => this.#failed('the session of the report ends by its TTL', error));
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = (this.options.sessionTtlMs ?? TTL_MS) / 3;
      try {
        await this.#renew(signal);
        if ((await this.#write(signal)) === 'retry') pauseMs = RETRY_MS;
      } catch (error) {
        this.#failed('the report could not be written', error);
        pauseMs = RETRY_MS;
      }
      await this.#wakeup.sleep(pauseMs, signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const call = { signal, timeoutMs: CALL_TIMEOUT_MS };
    if (this.#session !== null && (await this.options.client.sessionRenew(this.#session, call)) === 'gone')
      this.#forget();
    this.#session ??= await this.options.client.sessionCreate(
      {
        name: `lb-syncer ${this.options.name}`,
        ttlMs: this.options.sessionTtlMs ?? TTL_MS,
        lockDelayMs: 0,
        behavior: 'delete',
      },
      call,
    );
  }

  #forget(): void {
    this.#session = null;
    this.#written = null;
  }

  async #write(signal: AbortSignal): Promise<Outcome> {
    const text = this.#wanted;
    const session = this.#session;
    if (text === null || session === null || text === this.#written) return 'written';
    const refused = await this.#transact([opLock(this.options.key, text, session)], signal);
    const outcome = refused.includes('held-by-other') ? await this.#takeOver(text, session, signal) : refused;
    if (outcome.includes('invalid-session')) this.#forget();
    if (outcome.length > 0) return 'retry';
    this.#written = text;
    return 'written';
  }

  /** Held by a session that an earlier process of this name left behind, and that may live for twice its TTL. */
  async #takeOver(text: string, session: string, signal: AbortSignal): Promise<readonly RefusalReason[]> {
    const { client, key, log } = this.options;
    const { entry } = await client.kvGet(key, { consistency: 'consistent', signal, timeoutMs: CALL_TIMEOUT_MS });
    log.info({ event: 'report.taken-over', key, session: entry?.session }, 'replaces the report of an earlier process');
    const lock = opLock(key, text, session);
    return this.#transact(entry === null ? [lock] : [opDeleteCas(key, entry.modifyIndex), lock], signal);
  }

  /** Why it was refused; nothing if it was committed. */
  async #transact(operations: readonly TxnOperation[], signal: AbortSignal): Promise<readonly RefusalReason[]> {
    const result = await this.options.client.transaction(operations, { signal, timeoutMs: CALL_TIMEOUT_MS });
    return result.committed ? [] : result.errors.map(reasonOf);
  }

  #failed(what: string, error: unknown): void {
    this.options.log.debug({ event: 'report.failed', key: this.options.key, err: error }, what);
  }
}
