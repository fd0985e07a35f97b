import { parseMaster, type MasterValue, type SyncRule, type SyncValue } from '@ha-postgres/cluster-state';
import type { FakeRequest } from '@ha-postgres/consul-election/testing';
import type { KvEntry } from '@ha-postgres/consul-election';
import type { SimNode } from '../node/node';
import type { Server } from '../postgres/server';
import { isForeign, type Database } from '../postgres/data-directory';
import { lsnIn, lsnText, type WalRecord } from '../postgres/wal';
import type { World } from '../world/world';

/** What must never happen, in words; the names stand in reports and in the list of mutations. */
export const INVARIANTS = {
  oneWriter: 'never two nodes that can acknowledge a write',
  freedAfterStop: 'the lock is never freed before PostgreSQL is stopped',
  releasedIsCleared: 'released is written only when nobody can write',
  nothingLost: 'no write that was acknowledged synchronously is lost',
  votesCover: 'no votes that are enough miss a write that was acknowledged synchronously',
  termOnce: 'a term is taken once, and the term in the key never goes down',
  givenUpWhenAsked: 'commits are given up only by a node that was told to, or that may always',
  boundedLoss: 'an asynchronous failover loses no more than the lag limit and what followed the last beat',
  noAlienHistory: 'no Replica streams a history that its own data is no part of',
  converges: 'a healed cluster has a Master and streaming Replicas again',
  endures: 'a cluster in which one fault stands has a Master, and streaming Replicas but there',
} as const;

export const BY_HAND = 'promoted by hand';

/** A machine that was frozen whole thaws: until it has looked at its clock its PostgreSQL answers (the only exception). */
export interface Excuse {
  readonly why: string;
  readonly until: number;
}

interface Acknowledgement {
  readonly record: WalRecord;
  /** Every rule that was in force asked for a Replica to have it: it must never be lost. */
  readonly isPromised: boolean;
}

/** Looks at the world whenever something changes that an invariant is about. */
export class Invariants {
  private readonly writers = new Set<Server>();
  private readonly excuses = new Map<string, Excuse>();
  private acknowledged: Acknowledgement[] = [];
  /** Acknowledged, and not part of the history of a Master that ran since. */
  private readonly lostWrites: WalRecord[] = [];
  private lastMaster: KvEntry | null = null;
  /** The last position that a running Master told. */
  private toldLsn = 0;
  private highestTerm = 0;
  /** Consul's memory went back, until a Master is promoted: what the keys say is no more than was known once. */
  isMemoryBack = false;
  promotions = 0;
  lost = 0;
  excused = 0;
  excusedWrites = 0;
  promised = 0;

  constructor(
    private readonly world: World,
    private readonly nodes: ReadonlyMap<string, SimNode>,
    private readonly masterKey: () => KvEntry | null,
    private readonly syncKey: () => SyncValue | null,
    private readonly lagLimitBytes: number,
  ) {}

  /** So long this node may acknowledge writes beside the Master; returns what ends it before. */
  excuse(node: string, why: string, forMs: number): () => void {
    const until = this.world.now() + forMs;
    const excuse = { why, until };
    this.excuses.set(node, excuse);
    if (Number.isFinite(forMs)) this.world.schedule(forMs, () => this.checkWriters());
    return () => {
      if (this.excuses.get(node) === excuse) this.excuses.delete(node);
    };
  }

  onWritable(server: Server): void {
    const can = server.canAcknowledge;
    if (can === this.writers.has(server)) return;
    if (can) this.writers.add(server);
    else this.writers.delete(server);
    this.world.tell(server.node, () =>
      can ? 'postgres  CAN ACKNOWLEDGE WRITES' : 'postgres  can acknowledge nothing any more',
    );
    if (can) this.checkWriters();
  }

  onStream(receiver: Server, sender: Server): void {
    const last = receiver.database.wal.last;
    const theirs = sender.database.wal;
    if (last === null) return;
    const isPart =
      last.end <= theirs.end ? theirs.has(last) : receiver.database.wal.endingAt(theirs.end) === theirs.last;
    if (isPart) return;
    this.world.violated(
      INVARIANTS.noAlienHistory,
      `${receiver.node} streams from ${sender.node}, but its record at ${lsnText(last.start)} of timeline ${last.timeline} is not in that history`,
    );
  }

  onAcknowledged(server: Server, record: WalRecord): void {
    const isPromised = this.isPromised();
    // What a machine that was frozen whole acknowledges before it looks at its clock is lost, and the manual says so; but not
    // where a Replica had to have it.
    if (this.excuseOf(server.node) !== null && !isPromised) this.excusedWrites += 1;
    else this.acknowledged.push({ record, isPromised });
    if (!isPromised) return;
    this.promised += 1;
    this.checkCover(record);
  }

  /** An administrator lets a node take over whatever is lost by it: of what was acknowledged before nothing is promised any more. */
  onLossAccepted(): void {
    this.acknowledged = [];
  }

  /** The key `sync` was written. */
  onSyncWritten(): void {
    for (const { record, isPromised } of this.acknowledged) if (isPromised) this.checkCover(record);
  }

  /** A node is about to replace data that holds these records beyond the fork. */
  onGivenUp(node: SimNode, records: readonly WalRecord[], isAllowed: boolean): void {
    if (isAllowed) return;
    const lost = this.lostWrites.find((record) => records.includes(record));
    if (lost === undefined || this.holder()?.wal.has(lost) === true) return;
    this.world.violated(
      INVARIANTS.givenUpWhenAsked,
      `${node.name} gives up write ${lost.write ?? 0}, which the cluster lacks, and nobody said that it may`,
    );
  }

  /** Those that lack it must not be enough to promote one of them. */
  private checkCover(record: WalRecord): void {
    if (this.isMemoryBack) return;
    const value = this.syncKey();
    if (value === null) return;
    const { previous, ...rule } = value;
    const rules = [rule, ...(previous === null ? [] : [previous])].filter(({ mode }) => mode !== 'async');
    const lacking = [...this.nodes.values()].filter((node) => lacks(node, record)).map(({ name }) => name);
    if (rules.length === 0 || !rules.every((one) => isEnough(one, lacking))) return;
    this.world.violated(
      INVARIANTS.votesCover,
      `write ${record.write ?? 0} is not on ${lacking.join(', ')}, whose votes are enough for ${JSON.stringify(value)}`,
    );
  }

  private holder(): Database | null {
    const entry = this.masterKey();
    const value = entry === null ? null : valueOf(entry);
    return value === null ? null : (this.nodes.get(value.node)?.disk.data.database ?? null);
  }

  private isHolder(node: string): boolean {
    const entry = this.masterKey();
    return entry?.session != null && valueOf(entry)?.node === node;
  }

  onPromoted(server: Server): void {
    // What somebody promoted by hand is thrown away again.
    if (this.excuseOf(server.node)?.why === BY_HAND) return;
    this.promotions += 1;
    this.checkLost(server);
    // One that held the lock of the memory that is lost may promote still.
    if (!this.isMemoryBack || !this.isHolder(server.node)) return;
    // The keys are made anew, and tell nothing of what was promised before.
    this.isMemoryBack = false;
    this.acknowledged = this.acknowledged.map(({ record }) => ({ record, isPromised: false }));
  }

  private checkLost(server: Server): void {
    const { wal } = server.database;
    const lost = this.acknowledged.filter(({ record }) => !wal.has(record));
    if (lost.length === 0) return;
    this.acknowledged = this.acknowledged.filter((one) => !lost.includes(one));
    this.lost += lost.length;
    this.lostWrites.push(...lost.map(({ record }) => record));
    for (const { record, isPromised } of lost) {
      if (isPromised) {
        this.world.violated(INVARIANTS.nothingLost, `write ${record.write ?? 0} is not on ${server.node}`);
        return;
      }
      if (record.end + this.lagLimitBytes < this.toldLsn) {
        this.world.violated(
          INVARIANTS.boundedLoss,
          `write ${record.write ?? 0} at ${lsnText(record.end)} is not on ${server.node}, though the last Master had told ${lsnText(this.toldLsn)}`,
        );
        return;
      }
    }
  }

  /** Consul has written: `request` of `node`, or by itself. */
  onConsulWrite(request: FakeRequest | null, node: string | null): void {
    const before = this.lastMaster;
    const entry = this.masterKey();
    if (entry === before) return;
    this.lastMaster = entry;
    if (entry?.value === before?.value && entry?.session === before?.session) return;
    const freed = before?.session != null && entry?.session !== before.session;
    const value = entry === null ? null : valueOf(entry);
    this.checkTerm(before, entry, value);
    if (value?.phase === 'running' && !freed) this.toldLsn = lsnOf(value);
    if (!freed || request === null || node === null || entry?.session != null) return;
    const server = this.nodes.get(node)?.server;
    // Promoted by hand while its controller only waited with the lock: that the runner kills, whoever holds what.
    if (server?.isLive === true && this.excuseOf(node)?.why !== BY_HAND) {
      this.world.violated(INVARIANTS.freedAfterStop, `${node} freed the lock while its PostgreSQL could write`);
      return;
    }
    const writer = [...this.writers].find((one) => this.excuseOf(one.node) === null);
    if (value?.released === true && writer !== undefined)
      this.world.violated(
        INVARIANTS.releasedIsCleared,
        `${node} wrote released while ${writer.node} could acknowledge writes`,
      );
  }

  private checkTerm(before: KvEntry | null, entry: KvEntry | null, value: MasterValue | null): void {
    if (value === null || this.isMemoryBack) return;
    const isTaken = entry?.session != null && entry.session !== before?.session;
    if (isTaken ? value.term > this.highestTerm : value.term >= this.highestTerm) this.highestTerm = value.term;
    else
      this.world.violated(
        INVARIANTS.termOnce,
        `${value.node} ${isTaken ? 'takes' : 'writes'} term ${value.term}, after term ${this.highestTerm}`,
      );
  }

  /** Every rule under which a commit may be acknowledged now asks for a Replica. */
  private isPromised(): boolean {
    const value = this.syncKey();
    if (value === null) return false;
    const { previous, ...rule } = value;
    return [rule, ...(previous === null ? [] : [previous])].every(({ mode, k }) => mode !== 'async' && k > 0);
  }

  private checkWriters(): void {
    const writers = [...this.writers].filter((server) => server.canAcknowledge);
    if (writers.length < 2) return;
    const unexcused = writers.filter((server) => this.excuseOf(server.node) === null);
    if (unexcused.length < 2) {
      this.excused += 1;
      return;
    }
    this.world.violated(
      INVARIANTS.oneWriter,
      unexcused.map(({ node, database }) => `${node} (timeline ${database.timeline.number})`).join(' and '),
    );
  }

  private excuseOf(node: string): Excuse | null {
    const excuse = this.excuses.get(node);
    return excuse !== undefined && this.world.now() < excuse.until ? excuse : null;
  }
}

function valueOf(entry: KvEntry): MasterValue | null {
  const parsed = parseMaster(entry.value);
  return parsed.ok ? parsed.value : null;
}

function lsnOf({ lsn }: MasterValue): number {
  return lsnIn(lsn);
}

/** It could vote, and has data without that record. */
function lacks({ disk }: SimNode, record: WalRecord): boolean {
  const { database } = disk.data;
  return database !== null && !isForeign(database) && !database.wal.has(record);
}

/** As DESIGN has it, apart from the arithmetic of the code that is judged: R + W > N. */
function isEnough({ k, names }: SyncRule, voters: readonly string[]): boolean {
  return k > 0 && voters.filter((voter) => names.includes(voter)).length > names.length - k;
}
