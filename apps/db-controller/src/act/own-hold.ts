import { ZERO_LSN, formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import type { LastMaster, MasterValue, NodeAddress, Phase } from '@ha-postgres/cluster-state';
import {
  LeaseHolder,
  Session,
  type AlsoWrite,
  type Answered,
  type BeatResult,
  type Clock,
  type ConsulApi,
  type KvEntry,
  type LeaseTimes,
  type ReleaseOutcome,
} from '@ha-postgres/consul-election';
import type { Hold } from '@ha-postgres/failover';
import type { Log, Millis } from '@ha-postgres/service-kit';
import type { Drain, StoredHold } from '../disk';

export interface OwnHoldOptions {
  readonly client: ConsulApi;
  readonly key: string;
  readonly self: NodeAddress;
  readonly times: LeaseTimes;
  /** How long a beat may stay unanswered before the Consul servers are asked beside the agent. */
  readonly unansweredLimitMs: number;
  readonly log: Log;
  /** Where this node's WAL ends, as last seen. */
  readonly position: () => { readonly lsn: Lsn | null; readonly timeline: number | null };
  /** Nodes that this one keeps a replication slot for. */
  readonly slots: (term: number) => readonly string[];
  /** The newest version of key `sync` once that is written with a beat; 0: none. */
  readonly syncVersion: (also: readonly AlsoWrite[]) => number;
  /** What a beat has written. */
  readonly onWritten: (entry: KvEntry, times: Answered) => void;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly bootId: string;
}

export interface HoldFacts {
  readonly term: number;
  readonly acquiredAt: Millis;
  readonly waitUntil: Millis;
  readonly predecessor: Hold['predecessor'];
  readonly last: LastMaster | null;
  /** Term of the data that this hold began with: the parent of the history it may begin. */
  readonly parentTerm: number;
}

/** What a hold goes on with in a restarted controller. */
interface FormerHold {
  readonly phase: Phase;
  readonly firstBeat: number;
  readonly acquiredIndex: number;
  readonly drain: Drain | null;
  readonly position: Told;
}

/** Where WAL ends, as it is told. */
interface Told {
  readonly lsn: Lsn;
  readonly timeline: number;
}

const NOWHERE: Told = { lsn: ZERO_LSN, timeline: 0 };
const NO_FORMER: FormerHold = { phase: 'waiting', firstBeat: 1, acquiredIndex: 0, drain: null, position: NOWHERE };

/** This node's hold of the lock: the session that serves it, the lease, and what is written of it. */
export class OwnHold {
  /** What observers of the key are told. */
  private announced: Phase;
  private confirmed: Phase;
  private refused = false;
  /** `running` was sent: it may have been committed, and clients may have written, though no answer said so. */
  private mayHaveRun: boolean;
  /** What `running` is announced together with, while that is under way. */
  private runsWith: readonly AlsoWrite[] | null = null;
  /** Beats that were sent meanwhile, and may have put another phase in its place. */
  private saidOtherwise = 0;
  private acquiredIndex: number;
  private drains: Drain | null;
  private position: Told;
  private provenAt: Millis;
  private readonly lease: LeaseHolder;

  constructor(
    readonly facts: HoldFacts,
    readonly session: Session,
    private readonly options: OwnHoldOptions,
    former: FormerHold = NO_FORMER,
  ) {
    const { phase, firstBeat, acquiredIndex, drain, position } = former;
    this.position = position;
    this.provenAt = facts.acquiredAt;
    this.announced = phase;
    this.confirmed = phase;
    this.mayHaveRun = phase === 'running' || phase === 'draining';
    this.acquiredIndex = acquiredIndex;
    this.drains = drain;
    this.lease = new LeaseHolder({
      client: options.client,
      key: options.key,
      session: session.id,
      times: options.times,
      log: options.log,
      clock: options.clock,
      hedgeAfterMs: options.unansweredLimitMs,
      firstBeat,
      value: (beat, also) => JSON.stringify(this.value(beat, also)),
      onWritten: (entry, times) => options.onWritten(entry, times),
      onExtended: () => options.onChange(),
      onLost: () => options.onChange(),
      onUnanswered: () => options.onChange(),
    });
  }

  get view(): Hold {
    const { term, acquiredAt, waitUntil, predecessor, last } = this.facts;
    const { endsAt, unansweredSince } = this.lease;
    const lost = this.lease.lost || this.refused;
    const { confirmed: phase, acquiredIndex, provenAt } = this;
    return {
      ...{ term, phase, acquiredAt, provenAt, endsAt, lost, unansweredSince },
      ...{ waitUntil, predecessor, last, acquiredIndex },
    };
  }

  get stored(): StoredHold {
    const { term, acquiredAt, predecessor, last, parentTerm } = this.facts;
    const waitUntil = Number.isFinite(this.facts.waitUntil) ? this.facts.waitUntil : null;
    return {
      bootId: this.options.bootId,
      term,
      session: this.session.id,
      phase: this.confirmed,
      acquiredAt,
      waitUntil,
      predecessor,
      last,
      parentTerm,
      acquiredIndex: this.acquiredIndex,
      ...(this.drains === null ? {} : { drain: this.drains }),
    };
  }

  /**
   * Whether its beats say all that a watch of the key could: they are answered, and no end of the hold is in sight. Whoever writes
   * into the key, or removes it, is found out by the next beat.
   */
  get isToldByBeats(): boolean {
    const { phase, lost, unansweredSince } = this.view;
    if (phase !== 'running' || lost || this.announced !== 'running') return false;
    return unansweredSince === null || this.options.clock.now() - unansweredSince <= this.options.unansweredLimitMs;
  }

  start(acquired: { readonly sentAt: Millis; readonly modifyIndex: number }): void {
    this.acquiredIndex = acquired.modifyIndex;
    this.provenAt = this.options.clock.now();
    this.lease.start(acquired);
  }

  /** After a restart: a beat proves that the session held the key without a break. */
  async resume(timeoutMs?: Millis): Promise<'held' | 'refused' | 'unanswered'> {
    const answer = await this.lease.resume(timeoutMs === undefined ? {} : { timeoutMs });
    if (answer === 'held') this.provenAt = this.options.clock.now();
    return answer;
  }

  promoting(): void {
    this.announced = 'promoting';
    this.confirmed = 'promoting';
    void this.lease.beatNow();
  }

  /**
   * Announces `running` in one transaction with `also`, and only there: where the key says that a term ran, the history tells it
   * too. Without an answer it may have been committed, though later beats say what was before; then the history alone tells.
   */
  async run(also: readonly AlsoWrite[]): Promise<BeatResult> {
    this.mayHaveRun = true;
    this.runsWith = also;
    const before = this.saidOtherwise;
    const result = await this.lease.beatNow(also);
    this.runsWith = null;
    if (!result.done) return result;
    this.announced = 'running';
    this.confirmed = 'running';
    if (this.saidOtherwise > before) void this.lease.beatNow();
    return result;
  }

  /** Announces `draining` and who is to succeed. Without an answer it may have been committed: every later beat says it again. */
  async drain(drain: Drain): Promise<BeatResult> {
    this.announced = 'draining';
    this.drains = drain;
    const result = await this.lease.beatNow();
    if (result.done) this.confirmed = 'draining';
    return result;
  }

  write(also: readonly AlsoWrite[]): Promise<BeatResult> {
    return this.lease.beatNow(also);
  }

  /** Failsafe: every member promised, so the lease runs to `endsAt`. */
  extendTo(endsAt: Millis): boolean {
    return this.lease.extendTo(endsAt);
  }

  /** Frees the key with its last value. PostgreSQL must have been seen stopped before. */
  async release(
    final: Pick<MasterValue, 'released' | 'successor' | 'lsnExact'> & { readonly lsn: Lsn | null },
  ): Promise<ReleaseOutcome> {
    const phase = this.mayHaveRun ? 'draining' : this.confirmed;
    const { released, successor, lsnExact } = final;
    const value = this.value(0, []);
    const lsn = final.lsn === null ? value.lsn : formatLsn(final.lsn);
    const outcome = await this.lease.release(
      JSON.stringify({ ...value, phase, lsn, released, successor, lsnExact } satisfies MasterValue),
    );
    if (outcome === 'refused') this.refused = true;
    return outcome;
  }

  /** Beats no more: the lease runs out, and others wait it out. */
  abandon(): void {
    this.lease.stop();
  }

  stop(): void {
    this.lease.stop();
    this.session.stop();
  }

  private value(beat: number, also: readonly AlsoWrite[]): MasterValue {
    const { lsn, timeline } = this.options.position();
    this.position = { lsn: lsn ?? this.position.lsn, timeline: timeline ?? this.position.timeline };
    const slots = this.options.slots(this.facts.term);
    const syncVersion = this.options.syncVersion(also);
    return {
      ...this.options.self,
      ...(slots.length === 0 ? {} : { slots }),
      ...(syncVersion === 0 ? {} : { syncVersion }),
      term: this.facts.term,
      beat,
      phase: this.phaseWith(also),
      timeline: this.position.timeline,
      lsn: formatLsn(this.position.lsn),
      lsnExact: false,
      released: false,
      successor: this.drains?.successor ?? null,
      ...(this.drains === null ? {} : { switchover: this.drains.id }),
      last: this.facts.last,
    };
  }

  private phaseWith(also: readonly AlsoWrite[]): Phase {
    if (this.runsWith === null) return this.announced;
    if (also === this.runsWith) return 'running';
    this.saidOtherwise += 1;
    return this.announced;
  }
}

/**
 * A hold that a former process of this node left on disk. Whether it still stands is said by {@link OwnHold.resume}.
 * @param written what that process wrote last: its position, and `running`, of which the disk may not know yet.
 */
export function adoptHold(stored: StoredHold, options: OwnHoldOptions, written: MasterValue | null = null): OwnHold {
  const { term, acquiredAt, predecessor, last, parentTerm } = stored;
  const session = Session.adopt(stored.session, {
    client: options.client,
    name: `ha-postgres ${options.self.node}`,
    log: options.log,
    clock: options.clock,
  });
  const waitUntil = stored.waitUntil ?? Number.NEGATIVE_INFINITY;
  // Beats of the former process had lower numbers: no value may occur twice.
  const firstBeat = Math.floor(options.clock.now());
  return new OwnHold({ term, acquiredAt, waitUntil, predecessor, last, parentTerm }, session, options, {
    phase: written?.phase === 'running' && stored.phase !== 'draining' ? 'running' : stored.phase,
    firstBeat,
    acquiredIndex: stored.acquiredIndex ?? 0,
    drain: stored.drain ?? null,
    position: written === null ? NOWHERE : { lsn: parseLsn(written.lsn), timeline: written.timeline },
  });
}
