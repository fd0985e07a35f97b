import type { Admits } from '@ha-postgres/cluster-state';
import type { SimProcess } from '../world/sim-process';
import type { World } from '../world/world';
import type { Random } from '../world/random';
import type { Database } from './data-directory';
import { Receiver, type Source } from './receiver';
import type { Sender } from './sender';
import { fork } from './timeline';
import { SynchronousCommit } from './synchronous-commit';
import { lsnText, type WalRecord } from './wal';

/** How PostgreSQL behaves on this node, drawn by the scenario; a fault may change it for a while. */
export interface Behaviour {
  /** Milliseconds that a flush of WAL takes. */
  fsyncMs: number;
  /** Nothing is flushed any more: storage stalls. */
  isStalled: boolean;
  /** Replay is paused: until it is told to go on. */
  isReplayPaused: boolean;
  /** Replay is held by a query of the standby. */
  isReplayHeld: boolean;
  /** A promotion does not come to its end. */
  promotionHangs: boolean;
  /** WAL is removed as soon as it is sent, whoever may need it still. */
  keepsNoWal: boolean;
  /** No more connections but those that are held. */
  isFull: boolean;
}

export interface Surroundings {
  readonly world: World;
  readonly random: Random;
  readonly node: string;
  readonly behaviour: Behaviour;
  /** Milliseconds one way, or null: nothing gets through now. */
  readonly link: (from: string, to: string) => number | null;
  /** PostgreSQL of a node, if one runs there. */
  readonly serverOf: (node: string) => Server | null;
  /** Called when it may have become able, or unable, to acknowledge a write. */
  readonly onWritable: (server: Server) => void;
  /** A Replica began to stream. */
  readonly onStream: (receiver: Server, sender: Server) => void;
  readonly onPromoted: (server: Server) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** How a write of a client ended, if the client heard of it. */
export type WriteEnd = 'committed' | 'refused' | 'broken';

/** What is written in `postgresql.conf` and `pg_hba.conf` with the role. */
export interface Settings {
  readonly synchronousStandbyNames: string;
  readonly admits: Admits;
}

interface Operation {
  readonly write: number;
  readonly bytes: number;
  readonly end: (how: WriteEnd, record: WalRecord | null) => void;
  /** Its commit record, once it is inserted. */
  record: WalRecord | null;
}

/**
 * A running PostgreSQL: postmaster and backends, over the database on the disk of its node. Backends are processes of their
 * own: after SIGKILL of the postmaster those that are at work go on, and may commit and answer their clients.
 */
export class Server {
  readonly receiver: Receiver;
  readonly senders = new Set<Sender>();
  isReady = false;
  inRecovery = true;
  hasPostmaster = true;
  isStopping = false;
  /** How far recovery has come; at the end of the WAL outside of it. */
  replayed: number;
  /** pg_last_wal_replay_lsn() out of recovery: where the server's own recovery ended; null if it had none. */
  endOfRecovery: number | null = null;
  readonly synchronous: SynchronousCommit;
  /** Whether clients are let in, or only Replicas and the controller. */
  admits: Admits;
  /** Replication slots: they are removed at every start. */
  readonly slots = new Map<string, { readonly lost: boolean }>();
  /** Process ids of walsenders. */
  private senderPids = 0;
  private isPromoting = false;
  private isFlushing = false;
  private isReplayPlanned = false;
  private exit: Exit | null = null;
  private readonly exits: ((exit: Exit) => void)[] = [];
  private readonly operations = new Set<Operation>();
  private readonly losses = new Set<() => void>();
  /** Inserted and not flushed: lost in a crash. */
  private unflushed: WalRecord[] = [];

  constructor(
    readonly database: Database,
    readonly process: SimProcess,
    readonly around: Surroundings,
    readonly pid: number,
    private readonly asItself: boolean,
    upstream: Source | null,
    settings: Settings,
  ) {
    this.replayed = database.wal.end;
    this.receiver = new Receiver(this, upstream);
    this.synchronous = new SynchronousCommit(this, settings.synchronousStandbyNames);
    this.admits = settings.admits;
    process.onExit(() => this.ended({ code: null, signal: 'SIGKILL' }));
    if (asItself) database.hasStandbySignal = false;
    else database.hasStandbySignal = true;
    const { random } = around;
    this.later(random.between(15, 80), () => this.startUp());
  }

  get node(): string {
    return this.around.node;
  }

  /** Somebody may be told by this server that a write is done. */
  get canAcknowledge(): boolean {
    if (this.inRecovery || !this.process.isRunning) return false;
    return (this.hasPostmaster && this.isReady && !this.isStopping) || this.operations.size > 0;
  }

  /** It could write, now or once it is thawed. */
  get isLive(): boolean {
    return !this.inRecovery && this.process.isAlive && (this.hasPostmaster || this.operations.size > 0);
  }

  get takesConnections(): boolean {
    return this.hasPostmaster && this.isReady && !this.isStopping && this.process.isAlive;
  }

  /** What a walsender may send. */
  get sendable(): number {
    return this.database.wal.end;
  }

  later(ms: number, run: () => void): void {
    this.around.world.schedule(ms, () => this.process.deliver(run));
  }

  onExit(told: (exit: Exit) => void): void {
    if (this.exit === null) this.exits.push(told);
    else told(this.exit);
  }

  /** Tells when the connections of this server break off. */
  onLoss(told: () => void): () => void {
    this.losses.add(told);
    return () => void this.losses.delete(told);
  }

  /** A commit of one client. `thinkMs`: how long the statement works before it commits. */
  write(write: number, bytes: number, thinkMs: number, end: Operation['end']): void {
    if (!this.takesConnections || this.inRecovery || this.admits !== 'everyone') {
      end(this.takesConnections ? 'refused' : 'broken', null);
      return;
    }
    const operation: Operation = { write, bytes, end, record: null };
    this.operations.add(operation);
    if (thinkMs === 0) this.insert(operation);
    else this.later(thinkMs, () => this.insert(operation));
  }

  promote(): void {
    if (this.isPromoting || !this.inRecovery) return;
    this.isPromoting = true;
    this.later(this.around.random.between(3, 40), () => this.tryToEndRecovery());
  }

  /** CHECKPOINT; `done` when it is complete. */
  checkpoint(done: () => void): void {
    this.synchronous.checkpointerReads();
    const { end } = this.database.wal;
    this.later(this.around.random.between(2, 40), () => {
      const { database } = this;
      if (!this.inRecovery)
        database.control = { ...database.control, timeline: database.timeline.number, checkpoint: end };
      done();
    });
  }

  /** SIGHUP. */
  reload({ synchronousStandbyNames, admits }: Settings): void {
    if (synchronousStandbyNames !== this.synchronous.names) this.synchronous.reread(synchronousStandbyNames);
    this.later(this.around.random.between(0.3, 3), () => (this.admits = admits));
  }

  newSenderPid(): number {
    this.senderPids += 1;
    return this.senderPids;
  }

  /** SIGINT: sessions end, the shutdown checkpoint is written and shipped, then it is gone. */
  stopFast(): void {
    if (this.isStopping) return;
    this.later(this.around.random.between(3, 30), () => {
      this.isStopping = true;
      for (const operation of [...this.operations]) this.finish(operation, 'broken');
      this.breakConnections();
      this.receiver.end();
      this.around.onWritable(this);
      if (!this.inRecovery) this.append('shutdown', null, 80);
      this.shipThenExit(this.around.world.now() + 5000);
    });
  }

  /** SIGKILL of the postmaster alone. */
  killPostmaster(): void {
    if (!this.hasPostmaster) return;
    this.hasPostmaster = false;
    this.receiver.end();
    for (const sender of [...this.senders]) sender.end();
    this.breakConnections();
    this.tellExit({ code: null, signal: 'SIGKILL' });
    this.around.onWritable(this);
    // Whoever is at work goes on; seen: 1.7 s.
    if (this.operations.size === 0) this.process.kill();
    else this.later(2000, () => this.process.kill());
  }

  /** Commits that are on disk and need not wait (any longer) are acknowledged. */
  releaseCommits(): void {
    for (const operation of [...this.operations]) {
      const { record } = operation;
      const isOnDisk = record !== null && this.database.wal.end >= record.end;
      if (isOnDisk && !this.synchronous.waits(record.end)) this.finish(operation, 'committed');
    }
  }

  /** New WAL was received, or replay may go on. */
  replaySoon(): void {
    if (this.isReplayPlanned || !this.inRecovery || this.isReplayHeld) return;
    if (this.replayed >= this.database.wal.end) return;
    this.isReplayPlanned = true;
    this.later(this.around.random.between(0.1, 2), () => {
      this.isReplayPlanned = false;
      if (!this.inRecovery || this.isReplayHeld) return;
      this.replayed = this.database.wal.end;
      this.receiver.tellReplayed();
    });
  }

  private get isReplayHeld(): boolean {
    const { isReplayHeld, isReplayPaused } = this.around.behaviour;
    return isReplayHeld || isReplayPaused;
  }

  private startUp(): void {
    const { database } = this;
    const { wal, timeline, known } = database;
    const newest = known.get(Math.max(timeline.number, ...known.keys())) ?? timeline;
    const left =
      newest.number === timeline.number ? null : newest.ancestors.find((one) => one.timeline === timeline.number);
    const isChild = left === null || (left !== undefined && left.until >= database.control.checkpoint);
    if (!isChild) {
      // "requested timeline 3 is not a child of this server's history"
      this.gone({ code: 1, signal: null });
      return;
    }
    this.isReady = true;
    this.replayed = wal.end;
    database.control = { ...database.control, cleanShutdown: false, inProduction: this.asItself };
    if (this.asItself) {
      this.inRecovery = false;
      this.around.onWritable(this);
    } else this.receiver.start();
  }

  private tryToEndRecovery(): void {
    if (this.around.behaviour.promotionHangs) {
      this.later(50, () => this.tryToEndRecovery());
      return;
    }
    const { database } = this;
    // Pause and conflicts are overridden: all that was received is replayed first.
    this.receiver.end();
    database.wal.dropTorn();
    this.replayed = database.wal.end;
    this.endOfRecovery = database.wal.end;
    database.timeline = fork(database.timeline, database.known, database.wal.end);
    database.known.set(database.timeline.number, database.timeline);
    this.inRecovery = false;
    this.isPromoting = false;
    this.append('end-of-recovery', null, 40);
    database.hasStandbySignal = false;
    database.control = { ...database.control, inProduction: true };
    this.around.world.tell(
      this.node,
      () =>
        `postgres  out of recovery, timeline ${database.timeline.number} from ${lsnText(database.wal.last?.start ?? 0)}`,
    );
    this.around.onWritable(this);
    this.around.onPromoted(this);
    for (const sender of this.senders) sender.timelineEnded();
  }

  private insert(operation: Operation): void {
    if (!this.operations.has(operation)) return;
    operation.record = this.nextRecord('write', operation.write, operation.bytes);
    this.unflushed.push(operation.record);
    this.flushSoon();
  }

  private flushSoon(): void {
    if (this.isFlushing || this.unflushed.length === 0) return;
    const { behaviour, random } = this.around;
    this.isFlushing = true;
    const wait = (): void => {
      if (behaviour.isStalled) this.later(20, wait);
      else this.later(behaviour.fsyncMs * (0.5 + random.next()), () => this.flush());
    };
    wait();
  }

  private flush(): void {
    this.isFlushing = false;
    const { wal } = this.database;
    const { behaviour } = this.around;
    this.writeOut();
    if (behaviour.keepsNoWal) this.removeWal();
    this.replayed = wal.end;
    for (const sender of this.senders) sender.kick();
    this.releaseCommits();
  }

  private writeOut(): void {
    for (const record of this.unflushed) this.database.wal.append(record);
    this.unflushed = [];
  }

  private removeWal(): void {
    this.database.oldest = this.database.wal.end;
    const used = new Set([...this.senders].map(({ slot }) => slot));
    for (const name of this.slots.keys()) if (!used.has(name)) this.slots.set(name, { lost: true });
  }

  private finish(operation: Operation, how: WriteEnd): void {
    if (!this.operations.delete(operation)) return;
    operation.end(how, operation.record);
    if (this.hasPostmaster || this.operations.size > 0) return;
    this.around.onWritable(this);
    this.process.kill();
  }

  private append(kind: WalRecord['kind'], write: number | null, bytes: number): WalRecord {
    // What was inserted before is on disk first.
    this.writeOut();
    const record = this.nextRecord(kind, write, bytes);
    this.database.wal.append(record);
    this.replayed = this.database.wal.end;
    for (const sender of this.senders) sender.kick();
    return record;
  }

  private nextRecord(kind: WalRecord['kind'], write: number | null, bytes: number): WalRecord {
    const last = this.unflushed[this.unflushed.length - 1] ?? this.database.wal.last;
    const start = last?.end ?? this.database.wal.end;
    return { start, end: start + bytes, prev: last?.start ?? 0, timeline: this.database.timeline.number, kind, write };
  }

  /** Walsenders go only when their standby has all of it, the shutdown checkpoint included. */
  private shipThenExit(until: number): void {
    const { wal } = this.database;
    const waits = [...this.senders].some((sender) => sender.flushed < wal.end);
    if (waits && this.around.world.now() < until) {
      this.later(5, () => this.shipThenExit(until));
      return;
    }
    const checkpoint = wal.last?.kind === 'shutdown' ? wal.last.start : wal.end;
    const { timeline } = this.database;
    this.database.control = { inProduction: false, cleanShutdown: true, timeline: timeline.number, checkpoint };
    this.gone({ code: 0, signal: null });
  }

  private gone(exit: Exit): void {
    this.tellExit(exit);
    this.process.kill();
  }

  private ended(exit: Exit): void {
    this.hasPostmaster = false;
    this.unflushed = [];
    this.receiver.end();
    for (const sender of [...this.senders]) sender.end();
    for (const operation of [...this.operations]) this.finish(operation, 'broken');
    this.breakConnections();
    this.tellExit(exit);
    this.around.onWritable(this);
  }

  private breakConnections(): void {
    for (const told of [...this.losses]) told();
    this.losses.clear();
  }

  private tellExit(exit: Exit): void {
    if (this.exit !== null) return;
    this.exit = exit;
    for (const told of this.exits.splice(0)) told(exit);
  }
}
