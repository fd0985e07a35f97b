import { parseSyncRule, type SyncRule } from './sync-rule';
import type { Server } from './server';

/** A cut is noticed by nobody for a while: TCP sends again. */
const RETRANSMIT_MS = 60;
/** `wal_sender_timeout`, and how often the two sides say that they are there. */
const SILENCE_MS = 5000;
const STATUS_MS = 1000;

/** A walsender of one server and its connection to the receiver of another. */
export class Sender {
  /** What the standby has confirmed to be on its disk. */
  flushed = 0;
  sent: number;
  readonly pid: number;
  /** `sync_priority`: whether it counts its standby, by the rule as it has read it. */
  priority = 0;
  private rule: SyncRule | null = null;
  private isSending = false;
  private isOver = false;
  private lastHeard: number;

  constructor(
    readonly server: Server,
    private readonly standby: Server,
    from: number,
    /** Where the timeline that is sent was left; Infinity: it is the sender's own. */
    private readonly until: number,
    readonly slot: string | null,
  ) {
    this.sent = from;
    this.pid = server.newSenderPid();
    this.readRule(parseSyncRule(server.synchronous.names));
    this.lastHeard = server.around.world.now();
    server.senders.add(this);
    // What the standby has on its disk already is told with its first reply.
    this.reply(from);
    this.status();
  }

  /** `application_name` */
  get to(): string {
    return this.standby.node;
  }

  /** It has read the setting again. */
  readRule(rule: SyncRule | null): void {
    if (this.isOver) return;
    this.rule = rule;
    this.priority = rule?.names.includes(this.to) === true ? 1 : 0;
    this.server.synchronous.confirmedBy(rule, this.priority);
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.server.senders.delete(this);
    const { world, link } = this.standby.around;
    const ms = link(this.server.node, this.standby.node);
    // Without a way through nobody hears of the end.
    if (ms !== null) world.schedule(ms, () => this.standby.process.deliver(() => this.ended()));
  }

  /** The sender was promoted, or moved to another timeline: what it sends of now on is another history. */
  timelineEnded(): void {
    this.end();
  }

  /** Sends what is new. */
  kick(): void {
    const to = Math.min(this.server.sendable, this.until);
    if (this.isSending || this.isOver) return;
    if (to <= this.sent) {
      if (this.sent >= this.until) this.handOver();
      return;
    }
    this.isSending = true;
    this.send(this.sent, to);
  }

  private send(from: number, to: number): void {
    const { world, link, random } = this.standby.around;
    const ms = link(this.server.node, this.standby.node);
    if (ms === null) {
      world.schedule(RETRANSMIT_MS, () => {
        if (this.isOver) return;
        if (world.now() - this.lastHeard > SILENCE_MS) this.end();
        else this.send(from, to);
      });
      return;
    }
    const records = this.server.database.wal.from(from).filter((record) => record.end <= to);
    // A sender that dies leaves its standby with the beginning of what was on its way.
    const last = records[records.length - 1];
    const arrive = (): void => {
      const isCutOff = this.isOver && last !== undefined && random.chance(0.5);
      this.standby.process.deliver(() => {
        if (isCutOff) this.arrived(records.slice(0, -1), last.start + Math.max(1, (last.end - last.start) >> 1));
        else this.arrived(records, null);
      });
    };
    this.sent = to;
    world.schedule(ms, arrive);
  }

  private arrived(records: Parameters<Server['receiver']['took']>[0], torn: number | null): void {
    const { standby } = this;
    if (!this.isReceived()) return;
    const { behaviour, random } = standby.around;
    const flush = (): void => {
      if (behaviour.isStalled) standby.later(20, flush);
      else if (this.isReceived()) this.took(records, torn);
    };
    standby.later(behaviour.fsyncMs * (0.5 + random.next()), flush);
  }

  private took(records: Parameters<Server['receiver']['took']>[0], torn: number | null): void {
    this.standby.receiver.took(records, torn);
    this.isSending = false;
    this.reply(this.standby.database.wal.end);
    this.kick();
  }

  /** What is under way when the connection ends is still in the receiver's socket. */
  private isReceived(): boolean {
    const { receiver, process } = this.standby;
    return process.isAlive && receiver.from === this.server.node && receiver.isOf(this);
  }

  private reply(flushed: number): void {
    const { world, link } = this.standby.around;
    const ms = link(this.standby.node, this.server.node);
    if (ms === null) return;
    world.schedule(ms, () =>
      this.server.process.deliver(() => {
        if (this.isOver) return;
        this.lastHeard = world.now();
        this.flushed = Math.max(this.flushed, flushed);
        this.server.synchronous.confirmedBy(this.rule, this.priority);
      }),
    );
  }

  /** Both sides say now and then that they are there. */
  private status(): void {
    const { world, link } = this.standby.around;
    world.schedule(STATUS_MS, () => {
      if (this.isOver) return;
      if (this.standby.process.isRunning) this.reply(this.standby.database.wal.end);
      if (this.server.process.isRunning && link(this.server.node, this.standby.node) !== null)
        this.standby.process.deliver(() => this.standby.receiver.heard());
      if (world.now() - this.lastHeard > SILENCE_MS) this.end();
      else this.status();
    });
  }

  private ended(): void {
    if (this.standby.receiver.isOf(this)) this.standby.receiver.fail();
  }

  private handOver(): void {
    this.isSending = true;
    const { world, link } = this.standby.around;
    const ms = link(this.server.node, this.standby.node);
    world.schedule(ms ?? RETRANSMIT_MS, () =>
      this.standby.process.deliver(() => {
        if (!this.standby.receiver.isOf(this)) return;
        if (ms === null) {
          this.isSending = false;
          this.kick();
        } else this.standby.receiver.timelineEnded();
      }),
    );
  }
}
