import type { CallOptions, ConsulApi, KvEntry, ReadOptions, SessionInfo, SessionRequest } from '../api';
import type { Clock, Timer } from '../clock';
import { NoAnswerError } from '../errors';
import type { TxnOperation } from '../transaction';
import { FakeStore, type Outcome } from './fake-store';

/** What the network does to one request. */
export interface Fate {
  /** Until the request takes effect; `null`: it never does. */
  readonly toServerMs: number | null;
  /** Until the answer is back; `null`: it is lost. */
  readonly toClientMs: number | null;
}

export interface FakeRequest {
  readonly kind:
    | 'kvGet'
    | 'kvList'
    | 'transaction'
    | 'sessionCreate'
    | 'sessionRenew'
    | 'sessionDestroy'
    | 'sessionInfo'
    | 'servers';
  readonly via: string;
  /** Of a transaction. */
  readonly operations: readonly TxnOperation[];
}

export interface FakeLink {
  /** The client's clock; default the world's. */
  readonly clock?: Clock;
  readonly fate?: (request: FakeRequest) => Fate;
  readonly servers?: readonly string[];
}

interface Waiter {
  readonly key: string;
  readonly index: number;
  readonly answer: () => void;
}

interface Held {
  readonly request: SessionRequest;
  timer: Timer;
}

const AT_ONCE: Fate = { toServerMs: 0, toClientMs: 0 };
const REQUEST_MS = 7500;

/**
 * Consul in memory, over a network that delays, reorders and loses what it is told to. It passes the same suite as the
 * real one. Sessions end at twice their TTL, as Consul's do.
 */
export class FakeConsul {
  readonly store = new FakeStore();
  private readonly waiters = new Set<Waiter>();
  private readonly sessions = new Map<string, Held>();
  private made = 0;

  constructor(private readonly world: Clock) {}

  /** The same as seen over one client's connection. */
  client(link: FakeLink = {}): ConsulApi {
    const send = <T>(
      kind: FakeRequest['kind'],
      options: CallOptions,
      serve: (done: (answer: T) => void) => void,
      operations: readonly TxnOperation[] = [],
    ): Promise<Sent<T>> => this.send({ kind, via: options.via ?? 'agent', operations }, link, options, serve);
    return {
      kvGet: async (key, options: ReadOptions = {}) => {
        const waits = options.index === undefined ? 0 : ((options.waitMs ?? 60_000) * 17) / 16;
        const limited = { ...options, timeoutMs: (options.timeoutMs ?? REQUEST_MS) + waits };
        const { answer, ...times } = await send<{ entry: KvEntry | null; index: number }>('kvGet', limited, (done) =>
          this.read(key, options, done),
        );
        return { ...times, ...answer, knownLeader: true, lastContactMs: 0 };
      },
      kvList: async (prefix, options: ReadOptions = {}) => {
        const { answer: entries, ...times } = await send<readonly KvEntry[]>('kvList', options, (done) =>
          done(this.store.list(prefix)),
        );
        return { ...times, entries, index: this.store.index, knownLeader: true, lastContactMs: 0 };
      },
      transaction: async (operations, options = {}) => {
        const { answer, ...times } = await send<Outcome>(
          'transaction',
          options,
          (done) => done(this.change(() => this.store.apply(operations))),
          operations,
        );
        return { ...answer, ...times };
      },
      sessionCreate: async (request, options = {}) =>
        (await send<string>('sessionCreate', options, (done) => done(this.createSession(request)))).answer,
      sessionRenew: async (id, options = {}) =>
        (await send<'renewed' | 'gone'>('sessionRenew', options, (done) => done(this.renewSession(id)))).answer,
      sessionDestroy: async (id, options = {}) => {
        await send<null>('sessionDestroy', options, (done) => done(this.destroySession(id)));
      },
      sessionInfo: async (id, options = {}) =>
        (await send<SessionInfo | null>('sessionInfo', options, (done) => done(this.infoOf(id)))).answer,
      paths: () => ['agent', ...(link.servers ?? [])],
      servers: async (options = {}) =>
        (await send<readonly string[]>('servers', options, (done) => done(link.servers ?? []))).answer,
    };
  }

  /** Ends a session as Consul does when a check fails or somebody destroys it. */
  endSession(id: string): void {
    this.sessions.get(id)?.timer.cancel();
    this.sessions.delete(id);
    this.change(() => this.store.endSession(id));
  }

  /** Ids of the sessions that live. */
  sessionIds(): readonly string[] {
    return [...this.sessions.keys()];
  }

  private createSession(request: SessionRequest): string {
    this.made += 1;
    const id = `00000000-0000-4000-8000-${String(this.made).padStart(12, '0')}`;
    this.sessions.set(id, { request, timer: this.expiry(id, request) });
    this.store.addSession(id);
    return id;
  }

  private destroySession(id: string): null {
    this.endSession(id);
    return null;
  }

  private infoOf(id: string): SessionInfo | null {
    const request = this.sessions.get(id)?.request;
    if (request === undefined) return null;
    return { id, name: request.name, node: 'fake', ttlMs: request.ttlMs, nodeChecks: request.nodeChecks ?? [] };
  }

  private renewSession(id: string): 'renewed' | 'gone' {
    const held = this.sessions.get(id);
    if (held === undefined) return 'gone';
    held.timer.cancel();
    held.timer = this.expiry(id, held.request);
    return 'renewed';
  }

  private expiry(id: string, { ttlMs }: SessionRequest): Timer {
    return this.world.schedule(2 * ttlMs, () => this.endSession(id));
  }

  private change<T>(write: () => T): T {
    const result = write();
    for (const waiter of [...this.waiters]) if (this.indexOf(waiter.key) > waiter.index) waiter.answer();
    return result;
  }

  // Consul gives a key's own ModifyIndex, and the whole store's for a key that does not exist.
  private indexOf(key: string): number {
    return this.store.get(key)?.modifyIndex ?? this.store.index;
  }

  private read(
    key: string,
    { index, waitMs = 60_000 }: ReadOptions,
    done: (answer: { entry: KvEntry | null; index: number }) => void,
  ): void {
    const answer = (): void => {
      timer?.cancel();
      this.waiters.delete(waiter);
      done({ entry: this.store.get(key), index: this.indexOf(key) });
    };
    const waiter: Waiter = { key, index: index ?? 0, answer };
    let timer: Timer | null = null;
    if (index === undefined || this.indexOf(key) > index) {
      answer();
      return;
    }
    this.waiters.add(waiter);
    timer = this.world.schedule(waitMs, answer);
  }

  private send<T>(
    request: FakeRequest,
    link: FakeLink,
    options: CallOptions,
    serve: (done: (answer: T) => void) => void,
  ): Promise<Sent<T>> {
    const { toServerMs, toClientMs } = link.fate?.(request) ?? AT_ONCE;
    const clock = link.clock ?? this.world;
    const sentAt = clock.now();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        limit.cancel();
        options.signal?.removeEventListener('abort', onAbort);
      };
      const fail = (why: string): void => {
        end();
        reject(new NoAnswerError(request.kind, why));
      };
      const onAbort = (): void => fail('aborted by the caller');
      const limit = clock.schedule(options.timeoutMs ?? REQUEST_MS, () => fail('the time is over'));
      options.signal?.addEventListener('abort', onAbort);
      if (options.signal?.aborted === true) {
        fail('aborted by the caller');
        return;
      }
      const back = (answer: T): void => {
        if (toClientMs === null) return;
        this.world.schedule(toClientMs, () => {
          end();
          resolve({ answer, sentAt, receivedAt: clock.now() });
        });
      };
      if (toServerMs !== null) this.world.schedule(toServerMs, () => serve(back));
    });
  }
}

interface Sent<T> {
  readonly answer: T;
  readonly sentAt: number;
  readonly receivedAt: number;
}
