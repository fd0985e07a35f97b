import { Sender } from './sender';
import type { Server } from './server';
import { latest, switchPoint, timelineAt, type Timeline } from './timeline';
import { SEGMENT_BYTES, lsnText, type WalRecord } from './wal';

/** `wal_retrieve_retry_interval` */
const RETRY_MS = 500;
/** So long the runner takes what the log said of removed WAL for news. */
const WAL_GONE_FOR_MS = 5000;
/** `wal_receiver_timeout` */
const SILENCE_MS = 5000;

/** What `primary_conninfo` and `primary_slot_name` say. */
export interface Source {
  readonly node: string;
  readonly slot: string | null;
}

type State = 'none' | 'connecting' | 'streaming' | 'waiting';

/** The part of a standby that fetches WAL: the startup process that asks for it, and the WAL receiver. */
export class Receiver {
  /** pg_last_wal_receive_lsn(): null until it first streamed since the server was started. */
  received: number | null = null;
  /** The timeline whose WAL was asked for last: the one that is followed, or one on the way to it. */
  private asked: Timeline | null = null;
  /** When it was last told that WAL it needs is gone. */
  private walGoneAt: number | null = null;
  private state: State = 'none';
  private sender: Sender | null = null;
  private attempt = 0;
  private isStarted = false;
  private heardAt = 0;

  constructor(
    private readonly server: Server,
    private upstream: Source | null,
  ) {}

  get isConnected(): boolean {
    return this.state === 'streaming';
  }

  /** A process of type `walreceiver` is there, also one that is still connecting. */
  get hasProcess(): boolean {
    return this.state === 'streaming' || this.state === 'connecting';
  }

  get from(): string | null {
    return this.sender?.server.node ?? null;
  }

  /** What the log says of WAL that was removed; null: nothing of late. */
  get whyWalIsGone(): string | null {
    const isNews = this.walGoneAt !== null && this.server.around.world.now() < this.walGoneAt + WAL_GONE_FOR_MS;
    return isNews ? 'requested WAL segment has already been removed' : null;
  }

  /** `received_tli` */
  get timeline(): number {
    return (this.asked ?? this.server.database.timeline).number;
  }

  get slot(): string | null {
    return this.sender?.slot ?? null;
  }

  isOf(sender: Sender): boolean {
    return this.sender === sender;
  }

  get latestEnd(): number | null {
    return this.sender?.sent ?? null;
  }

  /** What the startup process waits for. */
  get waitEvent(): string | null {
    if (this.server.replayed < this.server.database.wal.end) return null;
    return this.hasProcess ? 'RecoveryWalStream' : 'RecoveryRetrieveRetryInterval';
  }

  start(): void {
    this.isStarted = true;
    this.rescan();
    this.again(0);
  }

  /** `primary_conninfo` was changed and reloaded, and the receiver sent SIGTERM. */
  repoint(upstream: Source | null): void {
    this.upstream = upstream;
    this.walGoneAt = null;
    if (!this.hasProcess) {
      this.again(this.server.around.random.between(1, 30));
      return;
    }
    // It finishes what it is at: seconds if its disk is slow, and never at once.
    const { random } = this.server.around;
    const lingers = random.chance(0.1) ? random.between(20, 200) : random.between(0.5, 12);
    const { attempt } = this;
    this.server.later(lingers, () => {
      if (attempt === this.attempt) this.fail();
    });
  }

  /** For good: the server promotes, stops or is dead. */
  end(): void {
    this.isStarted = false;
    this.drop();
  }

  /** The other side ended, or nothing has been heard for too long. */
  fail(): void {
    if (this.state === 'none') return;
    this.drop();
    this.again(RETRY_MS);
  }

  /** A record of this position and all before it are on disk here. */
  took(records: readonly WalRecord[], torn: number | null): void {
    const { wal } = this.server.database;
    this.heardAt = this.server.around.world.now();
    for (const record of records) {
      if (record.start < wal.end) continue;
      if (!wal.isNext(record)) {
        // "invalid record length" or "record with incorrect prev-link": replay never gets past it.
        this.fail();
        return;
      }
      wal.append(record);
    }
    if (torn !== null) wal.tear(torn);
    this.received = Math.max(this.received ?? 0, wal.flushed);
    this.server.replaySoon();
    for (const sender of this.server.senders) sender.kick();
  }

  heard(): void {
    this.heardAt = this.server.around.world.now();
  }

  tellReplayed(): void {
    for (const sender of this.server.senders) sender.kick();
  }

  /** The sender has sent all of the old timeline: goes on with the next one of its history, if it can. */
  timelineEnded(): void {
    const { database } = this.server;
    const before = database.timeline;
    this.drop();
    this.again(database.timeline === before ? RETRY_MS : 1);
  }

  /** All that lies in `pg_wal` has been replayed by the time that it looks. */
  private rescan(): void {
    const { database, inRecovery } = this.server;
    if (inRecovery) database.timeline = latest(database.timeline, database.known, database.wal.end);
  }

  private drop(): void {
    this.attempt += 1;
    this.state = 'none';
    const { sender } = this;
    this.sender = null;
    sender?.end();
    this.rescan();
  }

  private again(ms: number): void {
    if (!this.isStarted || this.upstream === null || this.state !== 'none') return;
    this.state = 'waiting';
    const attempt = (this.attempt += 1);
    this.server.later(ms, () => {
      if (attempt === this.attempt && this.isStarted) this.connect();
    });
  }

  private connect(): void {
    const { upstream, server } = this;
    if (upstream === null) {
      this.state = 'none';
      return;
    }
    this.state = 'connecting';
    const attempt = (this.attempt += 1);
    const there = server.around.link(server.node, upstream.node);
    const back = server.around.link(upstream.node, server.node);
    const fail = (): void => {
      if (attempt === this.attempt) this.fail();
    };
    if (there === null || back === null) {
      server.later(2000, fail);
      return;
    }
    server.later(there + back + server.around.random.between(1, 8), () => {
      if (attempt !== this.attempt) return;
      const sender = server.around.serverOf(upstream.node);
      if (!sender?.takesConnections) fail();
      else if (!sender.process.isRunning) server.later(2000, fail);
      else this.handshake(sender, upstream.slot);
    });
  }

  /** IDENTIFY_SYSTEM, TIMELINE_HISTORY, START_REPLICATION, as walreceiver.c and walsender.c go about it. */
  private handshake(sender: Server, slot: string | null): void {
    const { database } = this.server;
    const theirs = sender.database.timeline;
    const asked = timelineAt(database.timeline, database.wal.end);
    if (sender.database.systemId !== database.systemId || theirs.number < asked.number) {
      // "highest timeline 2 of the primary is behind recovery timeline 3"
      this.fail();
      return;
    }
    for (let number = asked.number; number <= theirs.number; number += 1) {
      const history = sender.database.known.get(number);
      if (history !== undefined && !database.known.has(number)) database.known.set(number, history);
    }
    const left = switchPoint(theirs, asked.number);
    const start = segmentStart(database.wal.end);
    if (left === null || left < start || start > sender.sendable) {
      // "requested starting point 0/5000000 on timeline 1 is not in this server's history"
      this.fail();
      return;
    }
    if (left < this.server.replayed) {
      // "new timeline 2 forked off current database system timeline 1 before current recovery point"
      this.fail();
      return;
    }
    const isSlotLost = slot === null ? null : sender.slots.get(slot)?.lost;
    if (isSlotLost === undefined) {
      // 'replication slot "…" does not exist'
      this.fail();
      return;
    }
    if (isSlotLost === true || database.wal.end < sender.database.oldest) {
      this.walGoneAt = this.server.around.world.now();
      this.fail();
      return;
    }
    this.asked = asked;
    this.stream(sender, left, slot);
  }

  private stream(sender: Server, left: number, slot: string | null): void {
    const { server } = this;
    const { database, around } = server;
    this.state = 'streaming';
    this.received = Math.max(this.received ?? 0, segmentStart(database.wal.end));
    this.heardAt = around.world.now();
    this.sender = new Sender(sender, server, database.wal.end, left, slot);
    around.world.tell(
      server.node,
      () => `postgres  streams from ${sender.node} at ${lsnText(database.wal.end)}, timeline ${this.timeline}`,
    );
    around.onStream(server, sender);
    this.sender.kick();
    this.watch(this.attempt);
  }

  private watch(attempt: number): void {
    this.server.later(1000, () => {
      if (attempt !== this.attempt) return;
      if (this.server.around.world.now() - this.heardAt >= SILENCE_MS) this.fail();
      else this.watch(attempt);
    });
  }
}

const segmentStart = (lsn: number): number => lsn - (lsn % SEGMENT_BYTES);
