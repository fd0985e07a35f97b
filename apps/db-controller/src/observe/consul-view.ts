import {
  parseEpoch,
  parseHistory,
  parseInitialize,
  parseMaster,
  parseMembers,
  parseOverride,
  parseSync,
  parseSwitchover,
  type ClusterKeys,
  type HistoryValue,
  type OverrideValue,
  type Parsed,
} from '@ha-postgres/cluster-state';
import {
  sight,
  watchKey,
  type ConsulApi,
  type KvEntry,
  type PredecessorSight,
  type Watch,
} from '@ha-postgres/consul-election';
import type {
  Fact,
  InitializeSight,
  MasterSight,
  MembersSight,
  SwitchoverSight,
  SyncSight,
} from '@ha-postgres/failover';
import type { Log, Millis } from '@ha-postgres/service-kit';
import type { Machine } from '../machine';

/**
 * How long the watch of `master` blocks, as a part of the heartbeat. (Consul adds up to a sixteenth.) A beat answers it before
 * that; where none came it asks again so often that a member whose Consul answers is not silent for a whole heartbeat by the
 * time the Master could ask for failsafe, and so does not agree to it. Every answer is a consistent read.
 */
const WAIT_FOR_A_BEAT = 1.2;
const WAIT_WITHOUT_BEATS = 0.4;
/** Keys that mostly do not exist: Consul answers then at every beat. Whoever needs `sync` at once reads it at once. */
const SELDOM_EVERY_MS = 5000;
/**
 * Consul may have lost its memory between two questions. It is asked with an index then that the new one has not reached, and says nothing
 * until this is over: for all that time a new epoch is not known.
 */
const SELDOM_WAIT_MS = 10_000;
/** One that an administrator waits for, and only the Master asks. */
const REQUESTS_EVERY_MS = 2000;

/**
 * A Consul server that was started again and elected answers other reads from the snapshot that it began with, before it has gone
 * through its log: keys that were written since are older there, or absent.
 */
const CONSISTENT = { consistency: 'consistent' } as const;

/** What Consul said last, and when. Decides nothing. */
export class ConsulView {
  master: Fact<MasterSight> = unknown;
  members: Fact<MembersSight> = unknown;
  initialize: Fact<InitializeSight> = unknown;
  history: Fact<HistoryValue> = unknown;
  epoch: Fact<EpochSight> = unknown;
  /** Its age is that of the question, not of the answer. */
  sync: Fact<SyncSight> = unknown;
  syncIndex: number | null = null;
  private syncAnsweredAt: Millis = Number.NEGATIVE_INFINITY;
  override: OverrideValue | null = null;
  paused = false;
  /** Key `switchover`, while {@link watchRequests} is on. */
  switchover: SwitchoverSight['request'] = null;
  historyIndex: number | null = null;
  private historyAnsweredAt: Millis = Number.NEGATIVE_INFINITY;
  historyIsUnreadable = false;
  masterEntry: KvEntry | null = null;
  /** When the newest consistent read of `master` was answered. */
  consistentAnswerAt: Millis | null = null;
  /** When the newest consistent read of `master` that has been answered was sent. */
  masterAskedAt: Millis = Number.NEGATIVE_INFINITY;
  /** When a beat of a Master that runs on another node was last seen to follow upon another. */
  masterSeenRunningAt: Millis | null = null;
  private masterSight: PredecessorSight | null = null;
  private confirmedSentAt: Millis | null = null;
  /** The last answer showed a new value. */
  private isBeating = false;
  private readonly masterWatch: Watch<KvEntry | null>;
  private readonly requests: Watch<KvEntry | null>;
  private isStarted = false;
  private isWatchingRequests = false;
  private readonly watches: Watch<KvEntry | null>[];

  constructor(
    private readonly client: ConsulApi,
    private readonly keys: ClusterKeys,
    private readonly node: string,
    private readonly log: Log,
    private readonly onChange: () => void,
    heartbeatIntervalMs: Millis,
    { clock, random }: Pick<Machine, 'clock' | 'random'>,
  ) {
    const waitMs = () => heartbeatIntervalMs * (this.isBeating ? WAIT_FOR_A_BEAT : WAIT_WITHOUT_BEATS);
    const settings = { log, clock, random, ...CONSISTENT } as const;
    const watch = (
      key: string,
      take: (entry: KvEntry | null, times: Times) => void,
      often: { readonly everyMs: number; readonly waitMs?: number } = { everyMs: 50 },
    ) =>
      watchKey(
        client,
        key,
        { ...settings, ...often },
        {
          onValue: (entry, times) => {
            take(entry, times);
            onChange();
          },
        },
      );
    this.requests = watch(keys.switchover, (entry) => this.sawRequest(entry), { everyMs: REQUESTS_EVERY_MS });
    const seldom = { everyMs: SELDOM_EVERY_MS, waitMs: SELDOM_WAIT_MS };
    this.masterWatch = watchKey(
      client,
      keys.master,
      { ...settings, waitMs },
      { onValue: () => undefined, onAnswer: (answer) => this.sawMaster(answer.value, answer) },
    );
    this.watches = [
      this.masterWatch,
      watch(keys.members, (entry, times) => this.sawMembers(entry, times)),
      watch(keys.initialize, (entry, { receivedAt }) => this.sawInitialize(entry, receivedAt)),
      watch(keys.history, (entry, times) => this.sawHistory(entry, times)),
      watch(keys.pause, (entry) => (this.paused = entry !== null), seldom),
      watch(keys.epoch, (entry, { receivedAt }) => this.sawEpoch(entry, receivedAt), seldom),
      watch(keys.sync, (entry, times) => this.sawSync(entry, times), seldom),
      watch(keys.override, (entry) => (this.override = this.parsed(entry, parseOverride)), seldom),
    ];
  }

  /** What is asked of the holder of the lock concerns nobody else. */
  watchRequests(isHolder: boolean): void {
    if (isHolder === this.isWatchingRequests) return;
    this.isWatchingRequests = isHolder;
    if (isHolder) this.requests.start();
    else this.requests.stop();
    this.switchover = null;
  }

  /** Off while this node's own beats tell what stands there: {@link sawMaster}. Starting it again reads the key at once. */
  watchMaster(isNeeded: boolean): void {
    if (!isNeeded) this.masterWatch.stop();
    else if (this.isStarted) this.masterWatch.start();
  }

  start(): void {
    this.isStarted = true;
    for (const watch of this.watches) watch.start();
  }

  stop(): void {
    this.isStarted = false;
    for (const watch of [...this.watches, this.requests]) watch.stop();
  }

  /** One consistent read of `master`, now. @throws NoAnswerError, ConsulError */
  async confirmMaster(timeoutMs: number, via = 'agent'): Promise<void> {
    const read = await this.client.kvGet(this.keys.master, { ...CONSISTENT, timeoutMs, via });
    this.sawMaster(read.entry, read);
  }

  /** One consistent read of `sync`, `override` and `history`, now. @throws NoAnswerError, ConsulError */
  async readSync(timeoutMs: number): Promise<void> {
    const options = { ...CONSISTENT, timeoutMs };
    const [sync, override, history] = await Promise.all([
      this.client.kvGet(this.keys.sync, options),
      this.client.kvGet(this.keys.override, options),
      this.client.kvGet(this.keys.history, options),
    ]);
    this.override = this.parsed(override.entry, parseOverride);
    this.sawHistory(history.entry, history);
    this.sawSync(sync.entry, sync);
    this.onChange();
  }

  /** Reads the keys that only a Master writes again, after such a write was refused. */
  async reread(): Promise<void> {
    const [members, history, sync] = await Promise.all([
      this.client.kvGet(this.keys.members, CONSISTENT),
      this.client.kvGet(this.keys.history, CONSISTENT),
      this.client.kvGet(this.keys.sync, CONSISTENT),
    ]);
    this.sawSync(sync.entry, sync);
    this.sawMembers(members.entry, members);
    this.sawHistory(history.entry, history);
    this.onChange();
  }

  /** A list that was overtaken is not taken up: failsafe must ask everybody who stands on the newest one. */
  sawMembers(entry: KvEntry | null, { sentAt, receivedAt }: Times): void {
    const modifyIndex = entry?.modifyIndex ?? 0;
    if (this.members.known && sentAt < this.members.seenAt && modifyIndex < this.members.value.modifyIndex) return;
    const value = this.parsed(entry, parseMembers);
    const before = this.members.known ? this.members.value.members : [];
    const sight =
      entry !== null && value === null
        ? { members: before, modifyIndex, unreadable: true }
        : { members: value?.members ?? [], modifyIndex };
    this.members = { known: true, value: sight, seenAt: receivedAt };
  }

  sawHistory(entry: KvEntry | null, { sentAt, receivedAt }: Times): void {
    const modifyIndex = entry?.modifyIndex ?? null;
    if (sentAt < this.historyAnsweredAt && (modifyIndex ?? 0) < (this.historyIndex ?? 0)) return;
    this.historyAnsweredAt = receivedAt;
    this.historyIndex = modifyIndex;
    // What cannot be read is written over with what was read before.
    const before = entry !== null && this.history.known ? this.history.value : { promotions: [] };
    const value = this.parsed(entry, parseHistory);
    this.historyIsUnreadable = entry !== null && value === null;
    const seenAt = this.history.known ? Math.max(sentAt, this.history.seenAt) : sentAt;
    this.history = { known: true, value: value ?? before, seenAt };
  }

  /** What was read in an older epoch says nothing in this one; the next answer comes within a second. */
  forgetMaster(): void {
    this.master = unknown;
    this.masterEntry = null;
    this.masterSight = null;
  }

  /**
   * A blocking query may have been asked long before its answer, and yet show something newer than a read in between, whose answer
   * may even come after. Only a read that was sent after the last answer came is newer by itself, also where it shows a lower index.
   */
  sawSync(entry: KvEntry | null, { sentAt, receivedAt }: Times): void {
    const modifyIndex = entry?.modifyIndex ?? null;
    if (sentAt < this.syncAnsweredAt && (modifyIndex ?? 0) < (this.syncIndex ?? 0)) return;
    this.syncAnsweredAt = receivedAt;
    const seenAt = this.sync.known ? Math.max(sentAt, this.sync.seenAt) : sentAt;
    const value = this.parsed(entry, parseSync);
    this.syncIndex = modifyIndex;
    this.sync = { known: true, value: { value, isReadable: entry === null || value !== null }, seenAt };
  }

  /** Key `master` as a consistent read shows it, or as a beat of this node has written it. */
  sawMaster(entry: KvEntry | null, { sentAt, receivedAt }: Times): void {
    this.consistentAnswerAt = Math.max(this.consistentAnswerAt ?? receivedAt, receivedAt);
    // Answers of the watch and of a single read can overtake each other; an older state says nothing about now. A read
    // that was sent after the last answer came is newer, also where it shows a lower index: Consul's memory went back.
    const overtaken = this.master.known && sentAt < this.master.seenAt && isOlder(entry, this.masterEntry);
    if (overtaken) return;
    this.masterAskedAt = Math.max(this.masterAskedAt, sentAt);
    const before = this.masterSight;
    this.masterSight = sight(before, entry, receivedAt);
    const changed =
      before?.modifyIndex !== this.masterSight.modifyIndex || this.masterEntry?.session !== entry?.session;
    this.isBeating = changed && before !== null;
    this.confirmedSentAt = changed ? sentAt : Math.max(this.confirmedSentAt ?? sentAt, sentAt);
    const value = changed ? this.parsed(entry, parseMaster) : this.currentValue();
    if (
      changed &&
      before !== null &&
      value?.phase === 'running' &&
      value.node !== this.node &&
      entry?.session != null
    ) {
      this.masterSeenRunningAt = receivedAt;
    }
    this.masterEntry = entry;
    this.master = {
      known: true,
      seenAt: receivedAt,
      value: {
        entry:
          entry === null
            ? null
            : {
                value,
                modifyIndex: entry.modifyIndex,
                session: entry.session,
                firstSeenAt: this.masterSight.firstSeenAt,
                confirmedSentAt: this.confirmedSentAt,
              },
      },
    };
    this.onChange();
  }

  private currentValue() {
    return this.master.known ? (this.master.value.entry?.value ?? null) : null;
  }

  /** One that cannot be read is no older epoch, nor a newer one. */
  private sawEpoch(entry: KvEntry | null, at: Millis): void {
    const value = this.parsed(entry, parseEpoch);
    if (entry !== null && value === null) return;
    const seen = { number: value?.number ?? 0, modifyIndex: entry?.modifyIndex ?? 0 };
    this.epoch = { known: true, seenAt: at, value: seen };
  }

  private sawInitialize(entry: KvEntry | null, at: Millis): void {
    const value = this.parsed(entry, parseInitialize);
    this.initialize = {
      known: true,
      seenAt: at,
      value: { value, modifyIndex: entry?.modifyIndex ?? null, session: entry?.session ?? null },
    };
  }

  private sawRequest(entry: KvEntry | null): void {
    const value = this.parsed(entry, parseSwitchover);
    this.switchover = entry === null || value === null ? null : { value, modifyIndex: entry.modifyIndex };
  }

  private parsed<T>(entry: KvEntry | null, parse: (text: string) => Parsed<T>): T | null {
    if (entry === null) return null;
    const parsed = parse(entry.value);
    if (parsed.ok) return parsed.value;
    this.log.warn(
      { event: 'consul.unreadable', key: entry.key, why: parsed.why },
      'a value in Consul cannot be read and counts as absent',
    );
    return null;
  }
}

interface EpochSight {
  readonly number: number;
  readonly modifyIndex: number;
}

/** Of a read: when it was sent, and when its answer came. */
interface Times {
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

const unknown = { known: false, why: 'Consul has not answered yet' } as const;

function isOlder(entry: KvEntry | null, than: KvEntry | null): boolean {
  return than !== null && (entry?.modifyIndex ?? 0) < than.modifyIndex;
}
