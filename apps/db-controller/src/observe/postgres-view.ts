import {
  FailureThreshold,
  ReplicationCheck,
  WalStall,
  hasServerAnswered,
  readServerState,
  type AliveResult,
  type Queryable,
  type ServerState,
} from '@ha-postgres/pg-health';
import type { PostgresSight, SenderSight } from '@ha-postgres/failover';
import { isSameJson, messageOf, type Log, type Millis } from '@ha-postgres/service-kit';
import type { MachineClock } from '../machine';
import type { HeldPort, PostgresPort } from '../ports';
import { untilTogether } from './together';

export interface PostgresViewOptions {
  readonly server: PostgresPort;
  readonly clock: MachineClock;
  readonly checkIntervalMs: number;
  /** How often the state of a Master is read, whose position goes out with every beat. */
  readonly stateIntervalMs: number;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  readonly aliveThreshold: number;
  readonly replicationThreshold: number;
  /** How long WAL may stand still while somebody waits for the disk to take it. */
  readonly storageTimeoutMs: number;
  /** Whether there is a Master that a Replica should stream from now; looks while there is none do not count. */
  readonly hasMasterToStreamFrom: () => boolean;
  readonly log: Log;
  readonly onChange: () => void;
}

const RECONNECT_MS = 200;

/** What this node's PostgreSQL says of itself: alive by new connections, its state by a held one. Decides nothing. */
export class PostgresView {
  private readonly alive: ReturnType<PostgresPort['aliveCheck']>;
  private readonly aliveThreshold: FailureThreshold;
  private replication: ReplicationCheck;
  private readonly wal: WalStall;
  private readonly held: HeldPort;
  private readonly stop = new AbortController();
  private state: ServerState | null = null;
  private readAt: Millis | null = null;
  private lastAlive: AliveResult | null = null;
  private replicationFails = false;
  private recoveryTold: boolean | null = null;
  /** The last two readings were the same, where that decides nothing. */
  private isQuiet = false;
  private reading: Promise<void> | null = null;
  /** Somebody waits for what is being read. */
  private isAwaited = false;
  private lastError: string | null = null;

  constructor(private readonly options: PostgresViewOptions) {
    const timeouts = { connectTimeoutMs: options.connectTimeoutMs, queryTimeoutMs: options.queryTimeoutMs };
    this.alive = options.server.aliveCheck(timeouts);
    this.aliveThreshold = new FailureThreshold(options.aliveThreshold);
    this.replication = new ReplicationCheck(options.replicationThreshold);
    this.wal = new WalStall(options.storageTimeoutMs);
    this.held = options.server.hold({ ...timeouts, onLost: (failure) => this.lost(failure.message) });
  }

  /** The held connection: for commands to PostgreSQL, one after the other. */
  get connection(): Queryable {
    return this.held;
  }

  get error(): string | null {
    return this.lastError;
  }

  /** Not streaming for `replicationThreshold` looks in a row, while there was a Master to stream from. */
  get isReplicationFailing(): boolean {
    return this.replicationFails;
  }

  /**
   * Whether the server was in recovery when it said so last; null: it has not since it was started. One look without an
   * answer changes nothing here: that a server is dead is said by the checks, which count several.
   */
  get lastInRecovery(): boolean | null {
    return this.recoveryTold;
  }

  get sight(): PostgresSight {
    const state = this.state;
    return {
      readAt: state === null ? null : this.readAt,
      alive: !this.aliveThreshold.verdict.failing && !this.wal.isStalled,
      failure: this.failure,
      inRecovery: state === null ? null : state.inRecovery,
      timeline: state?.timeline ?? null,
      lsn: state?.position ?? null,
      replayed: state !== null && (!state.inRecovery || state.replayAtEnd),
      replayedLsn: state?.inRecovery === true ? state.replayedLsn : null,
      receiver: receiverOf(state),
      streamingReplicas:
        state?.senders.filter((sender) => sender.state === 'streaming').map((sender) => sender.applicationName) ?? [],
      synchronousStandbyNames: state?.synchronousStandbyNames ?? null,
      senders: state === null ? [] : sendersOf(state),
    };
  }

  private get failure(): string | null {
    if (this.wal.isStalled)
      return `its disk has taken no WAL for ${Math.round(this.wal.standsForMs / 1_000)} s, and commits wait for it`;
    return this.lastAlive?.alive === false ? `${this.lastAlive.failure}: ${this.lastAlive.message}` : null;
  }

  get lagBytes(): number | null {
    return this.state?.inRecovery === true && receiverOf(this.state)?.streaming === true
      ? this.state.replayLagBytes
      : null;
  }

  /** Whether the last alive check was answered at all: for readiness, which waits for no threshold. */
  get answersNow(): boolean {
    return this.lastAlive?.alive === true;
  }

  start(): void {
    void this.checkForEver();
    void this.readForEver();
  }

  /** The runner started another server: failures of the last one say nothing about it. */
  serverStarted(): void {
    this.aliveThreshold.record(true);
    this.wal.forget();
    this.lastAlive = null;
    this.recoveryTold = null;
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.held.close();
  }

  /** Reads the state now. Several who ask at once share one reading. */
  refresh(): Promise<void> {
    this.isAwaited = true;
    return this.shared();
  }

  /** A reading that began after this call. */
  async readAnew(): Promise<void> {
    await this.reading;
    await this.refresh();
  }

  private shared(): Promise<void> {
    this.reading ??= this.read().finally(() => (this.reading = null));
    return this.reading;
  }

  private async read(): Promise<void> {
    const before = this.state;
    try {
      await this.held.open(this.stop.signal);
      const beganAt = this.options.clock.now();
      this.state = await readServerState(this.held);
      this.readAt = beganAt;
      this.recoveryTold = this.state.inRecovery;
      this.wal.look(this.state, beganAt);
      this.lastError = null;
    } catch (error) {
      this.state = null;
      this.lastError = messageOf(error);
    }
    // A disk that takes nothing is seen in a state that stays as it is.
    this.isQuiet = isSameAgain(before, this.state);
    const tells = this.isAwaited || this.wal.isStalled || !this.isQuiet;
    this.isAwaited = false;
    if (tells) this.options.onChange();
  }

  private async readForEver(): Promise<void> {
    while (!this.stop.signal.aborted) {
      await this.shared();
      this.countStreaming();
      const { clock } = this.options;
      const inMs = this.state === null ? RECONNECT_MS : untilTogether(clock.now(), this.intervalMs(this.state));
      await clock.pause(inMs, this.stop.signal);
    }
  }

  /**
   * A Master tells its position with every beat, so that it is read as often, while it moves; a Replica's is read anew where it is to
   * be judged. Every other time is enough too for a Master that nobody writes to.
   */
  private intervalMs(state: ServerState): number {
    return state.inRecovery || this.isQuiet ? 2 * this.options.stateIntervalMs : this.options.stateIntervalMs;
  }

  /** Only looks at the check's own pace count: a vote looks every few milliseconds, while its receiver is cut off. */
  private countStreaming(): void {
    const { hasMasterToStreamFrom, replicationThreshold, onChange } = this.options;
    if (!hasMasterToStreamFrom()) {
      // Whoever had left before stays away; the others begin to count with the next Master.
      if (!this.replicationFails) this.replication = new ReplicationCheck(replicationThreshold);
      return;
    }
    const { failing } =
      this.state === null
        ? this.replication.recordUnknown(this.lastError ?? 'no state')
        : this.replication.record(this.state);
    if (failing === this.replicationFails) return;
    this.replicationFails = failing;
    onChange();
  }

  private async checkForEver(): Promise<void> {
    while (!this.stop.signal.aborted) {
      await this.check();
      const { clock, checkIntervalMs } = this.options;
      // Failures keep their distance: so many in a row are a verdict.
      const inMs = this.answersNow ? untilTogether(clock.now(), checkIntervalMs) : checkIntervalMs;
      await clock.pause(inMs, this.stop.signal);
    }
  }

  private async check(): Promise<void> {
    try {
      const result = await this.alive.run(this.stop.signal);
      const isAsBefore = this.lastAlive?.alive === true && !this.aliveThreshold.verdict.failing;
      this.lastAlive = result;
      this.aliveThreshold.record(isUp(result));
      if (!isAsBefore || !result.alive) this.options.onChange();
    } catch (error) {
      if (!this.stop.signal.aborted)
        this.options.log.error({ event: 'postgres.check-failed', err: error }, 'an alive check failed by itself');
    }
  }

  private lost(why: string): void {
    this.state = null;
    this.lastError = why;
    this.options.onChange();
  }
}

/** Full or misconfigured is not dead: failing over would not make it better. */
function isUp(result: AliveResult): boolean {
  if (result.alive) return true;
  return (
    hasServerAnswered(result.failure) &&
    (result.failure === 'too-many-connections' || result.failure === 'authentication')
  );
}

/**
 * The same again, where that decides nothing: a Master, or a Replica that streams. (One that does not is judged by a look that is newer
 * than the runner's word, and must be heard.)
 */
function isSameAgain(before: ServerState | null, now: ServerState | null): boolean {
  if (before === null || now === null || (now.inRecovery && receiverOf(now)?.streaming !== true)) return false;
  return isSameJson(before, now);
}

function sendersOf({ senders }: ServerState): SenderSight[] {
  return senders.map(({ pid, applicationName, state, syncPriority, flushLsn }) => ({
    pid,
    name: applicationName,
    streaming: state === 'streaming',
    priority: syncPriority,
    flushed: flushLsn,
  }));
}

function receiverOf(state: ServerState | null): PostgresSight['receiver'] {
  if (state?.inRecovery !== true || state.walReceiver === null) return null;
  const { senderHost, senderPort, receivedTimeline, status } = state.walReceiver;
  return {
    host: senderHost ?? '',
    port: senderPort ?? 0,
    timeline: receivedTimeline ?? 0,
    streaming: status === 'streaming',
  };
}
