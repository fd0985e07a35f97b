import type { CallOptions, ConsulApi, KvEntry, ReadOptions, SessionInfo, SessionRequest } from '../api';
import type { Clock, Timer } from '../clock';
import { NoAnswerError } from '../errors';
import type { TxnOperation } from '../transaction';
import { Aborts } from './aborts';
import { FakeStore, type Keys, type Outcome } from './fake-store';

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
  /** Of a session's renewal or end. */
  readonly session: string | null;
}

export interface FakeLink {
  /** The client's clock; default the world's. */
  readonly clock?: Clock;
  readonly fate?: (request: FakeRequest) => Fate;
  /** Instead of `fate`: brings the request to the server, and its answer back, whenever it likes and if it likes. */
  readonly carry?: FakeCarrier;
  /** How answers and time limits reach the client's process, which may be frozen or dead by then. */
  readonly deliver?: (fn: () => void) => void;
  /** What a default read is answered from: a server that was the leader and has not noticed yet; null: the leader. */
  readonly deposed?: () => Keys | null;
  readonly servers?: readonly string[];
}

/** A network of its own making. */
export interface FakeCarrier {
  /** `broken`: the connection ends, whether or not the request has arrived. */
  there(request: FakeRequest, arrive: () => void, broken: () => void): void;
  /** Asked when an answer leaves, which of a blocking query is long after the request. */
  back(request: FakeRequest, arrive: () => void, broken: () => void): void;
}

export interface FakeConsulOptions {
  /** How long after its last renewal a session ends, TTL to twice the TTL; default twice. */
  readonly sessionEndsAfterMs?: (ttlMs: number) => number;
  /** Called after every write that a request made, and the end of a session (with null). */
  readonly onWrite?: (request: FakeRequest | null) => void;
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

/** A request that waits for a leader. */
interface Parked {
  readonly run: () => void;
  readonly timer: Timer;
}

const AT_ONCE: Fate = { toServerMs: 0, toClientMs: 0 };
const REQUEST_MS = 7500;
/** How long servers hold a request while they have no leader (`rpc_hold_timeout`). */
const HOLD_MS = 7000;

/**
 * Consul in memory, over a network that delays, reorders and loses what it is told to. It passes the same suite as the
 * real one. Sessions end at twice their TTL, as Consul's do.
 */
export class FakeConsul {
  readonly store = new FakeStore();
  private readonly waiters = new Set<Waiter>();
  private readonly sessions = new Map<string, Held>();
  private readonly parked = new Set<Parked>();
  private readonly aborts = new Aborts();
  private hasLeader = true;
  private made = 0;

  constructor(
    private readonly world: Clock,
    private readonly options: FakeConsulOptions = {},
  ) {}

  /** From now on only stale reads are answered; all else waits for a leader, 7 s at most. */
  loseLeader(): void {
    this.hasLeader = false;
    // Its timers are in the leader's memory.
    for (const held of this.sessions.values()) held.timer.cancel();
  }

  /** The new leader carries out what waited, and starts the timers of all sessions anew. */
  electLeader(): void {
    if (this.hasLeader) return;
    this.hasLeader = true;
    for (const [id, held] of this.sessions) held.timer = this.expiry(id, held.request);
    for (const parked of [...this.parked]) {
      parked.timer.cancel();
      this.parked.delete(parked);
      parked.run();
    }
  }

  /** Its memory goes back: keys as in the snapshot, no sessions. */
  restore(keys: Keys): void {
    for (const held of this.sessions.values()) held.timer.cancel();
    this.sessions.clear();
    this.change(null, () => this.store.restore(keys), true);
  }

  /** The same as seen over one client's connection. */
  client(link: FakeLink = {}): ConsulApi {
    const asked = (
      kind: FakeRequest['kind'],
      { via = 'agent' }: CallOptions,
      { operations = [], session = null }: Partial<FakeRequest> = {},
    ): FakeRequest => ({ kind, via, operations, session });
    // The very request that the network carries is the one that writes: whoever watches both knows it again.
    const send = <T>(
      request: FakeRequest,
      options: CallOptions,
      serve: (request: FakeRequest) => T,
    ): Promise<Sent<T>> => this.send<T>(request, link, options, (done) => done(serve(request)));
    return {
      kvGet: async (key, options: ReadOptions = {}) => {
        const waits = options.index === undefined ? 0 : ((options.waitMs ?? 60_000) * 17) / 16;
        const limited = { signal: options.signal, timeoutMs: (options.timeoutMs ?? REQUEST_MS) + waits };
        const read = (done: (answer: { entry: KvEntry | null; index: number }) => void): void =>
          this.read(key, options, link, done);
        const { answer, sentAt, receivedAt } = await this.send(asked('kvGet', options), link, limited, read);
        const { entry, index } = answer;
        return { entry, index, sentAt, receivedAt, knownLeader: true, lastContactMs: 0 };
      },
      kvList: async (prefix, options: ReadOptions = {}) => {
        const list = (): readonly KvEntry[] => this.store.list(prefix);
        const { answer: entries, ...times } = await send(asked('kvList', options), options, list);
        return { ...times, entries, index: this.store.index, knownLeader: true, lastContactMs: 0 };
      },
      transaction: async (operations, options = {}) => {
        const { answer, sentAt, receivedAt } = await send<Outcome>(
          asked('transaction', options, { operations }),
          options,
          (request) => this.change(request, () => this.store.apply(operations)),
        );
        return answer.committed
          ? { committed: true, entries: answer.entries, sentAt, receivedAt }
          : { committed: false, errors: answer.errors, sentAt, receivedAt };
      },
      sessionCreate: async (session, options = {}) =>
        (await send(asked('sessionCreate', options), options, () => this.createSession(session))).answer,
      sessionRenew: async (id, options = {}) =>
        (await send(asked('sessionRenew', options, { session: id }), options, () => this.renewSession(id))).answer,
      sessionDestroy: async (id, options = {}) => {
        await send(asked('sessionDestroy', options, { session: id }), options, (by) => this.endSession(id, by));
      },
      sessionInfo: async (id, options = {}) =>
        (await send(asked('sessionInfo', options, { session: id }), options, () => this.infoOf(id))).answer,
      paths: () => ['agent', ...(link.servers ?? [])],
      servers: async (options = {}) =>
        (await send(asked('servers', options), options, () => link.servers ?? [])).answer,
    };
  }

  /** Somebody else writes, as an administrator does. */
  write(operations: readonly TxnOperation[]): void {
    this.change(null, () => this.store.apply(operations));
  }

  /** Ends a session as Consul does when a check fails or somebody destroys it. */
  endSession(id: string, by: FakeRequest | null = null): void {
    this.sessions.get(id)?.timer.cancel();
    this.sessions.delete(id);
    this.change(by, () => this.store.endSession(id));
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
    return this.world.schedule(this.options.sessionEndsAfterMs?.(ttlMs) ?? 2 * ttlMs, () => this.endSession(id));
  }

  private change<T>(by: FakeRequest | null, write: () => T, wakeAll = false): T {
    const result = write();
    this.options.onWrite?.(by);
    const woken: Waiter[] = [];
    for (const waiter of this.waiters) if (wakeAll || this.indexOf(waiter.key) > waiter.index) woken.push(waiter);
    for (const waiter of woken) waiter.answer();
    return result;
  }

  // Consul gives a key's own ModifyIndex, and the whole store's for a key that does not exist.
  private indexOf(key: string): number {
    return this.store.get(key)?.modifyIndex ?? this.store.index;
  }

  private read(
    key: string,
    { index, waitMs = 60_000, consistency }: ReadOptions,
    link: FakeLink,
    done: (answer: { entry: KvEntry | null; index: number }) => void,
  ): void {
    const past = consistency === 'consistent' ? null : (link.deposed?.() ?? null);
    if (past !== null) {
      const entry = past.get(key) ?? null;
      done({ entry, index: entry?.modifyIndex ?? this.store.index });
      return;
    }
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

  /** Carries a request out now, or once there is a leader; refuses it when that takes too long. */
  private led(run: () => void, refuse: () => void): void {
    if (this.hasLeader) {
      run();
      return;
    }
    const timer = this.world.schedule(HOLD_MS, () => {
      this.parked.delete(parked);
      refuse();
    });
    const parked: Parked = { run, timer };
    this.parked.add(parked);
  }

  private send<T>(
    request: FakeRequest,
    link: FakeLink,
    options: { readonly [K in 'signal' | 'timeoutMs']?: CallOptions[K] | undefined },
    serve: (done: (answer: T) => void) => void,
  ): Promise<Sent<T>> {
    const { toServerMs, toClientMs } = link.fate?.(request) ?? AT_ONCE;
    const deliver = link.deliver ?? ((fn) => fn());
    const clock = link.clock ?? this.world;
    const sentAt = clock.now();
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        limit.cancel();
        if (signal !== undefined) this.aborts.delete(signal, onAbort);
      };
      const fail = (why: string): void => {
        end();
        reject(new NoAnswerError(request.kind, why));
      };
      const onAbort = (): void => fail('aborted by the caller');
      const limit = clock.schedule(options.timeoutMs ?? REQUEST_MS, () => fail('the time is over'));
      if (signal !== undefined) this.aborts.add(signal, onAbort);
      if (signal?.aborted === true) {
        fail('aborted by the caller');
        return;
      }
      const broken = (): void => deliver(() => fail('connection reset'));
      const comeBack = (then: () => void): void => {
        const arrive = (): void => deliver(then);
        if (link.carry !== undefined) link.carry.back(request, arrive, broken);
        else if (toClientMs !== null) this.world.schedule(toClientMs, arrive);
      };
      const back = (answer: T): void =>
        comeBack(() => {
          end();
          resolve({ answer, sentAt, receivedAt: clock.now() });
        });
      const refuse = (): void => comeBack(() => fail('No cluster leader'));
      const arriveThere = (): void => this.led(() => serve(back), refuse);
      if (link.carry !== undefined) link.carry.there(request, arriveThere, broken);
      else if (toServerMs !== null) this.world.schedule(toServerMs, arriveThere);
    });
  }
}

interface Sent<T> {
  readonly answer: T;
  readonly sentAt: number;
  readonly receivedAt: number;
}
