import type { LastMaster, NodeAddress, Phase, SwitchoverState } from '@ha-postgres/cluster-state';
import { isSameJson, type Log, type Millis } from '@ha-postgres/service-kit';
import type { DiskRecord, LedTerm } from '@ha-postgres/failover';
import { parseLsn } from '@ha-postgres/lsn';
import { errors } from './errors';
import type { Machine } from './machine';
import type { StateStore } from './ports';

/** The hold as a restarted controller needs it to go on. Times are of the boot `bootId`. */
export interface StoredHold {
  readonly bootId: string;
  readonly term: number;
  readonly session: string;
  readonly phase: Phase;
  readonly acquiredAt: Millis;
  /** Null: the predecessor was cleared, or there was none. */
  readonly waitUntil: Millis | null;
  readonly predecessor: { readonly node: string; readonly term: number } | null;
  readonly last: LastMaster | null;
  readonly parentTerm: number;
  readonly acquiredIndex?: number;
  /** The switchover for which it drains. */
  readonly drain?: Drain;
}

export interface Drain {
  readonly id: string;
  readonly successor: string;
}

/** Everything that this node must not forget, in one file outside the data directory. */
export interface Stored {
  readonly node: string;
  readonly highestTerm: number;
  /** Who held that term; null: not known. Empty: another than the key says, by the word of a member with data of that term. */
  readonly highestTermNode: string | null;
  readonly highestModifyIndex: number;
  /** The highest number of key `epoch` seen; the index above counts from there. */
  readonly epoch: number;
  readonly dataTerm: number;
  readonly ledTerm: number | null;
  readonly led: readonly LedTerm[];
  readonly deadMaster: boolean;
  readonly rejoining: number | null;
  /** Id of the key `<node>/rejoin` that served last. */
  readonly usedRejoin: string | null;
  readonly votedTerm: number;
  readonly highestSyncVersion: number;
  readonly admittedTerm: number | null;
  readonly promise: { readonly bootId: string; readonly until: Millis } | null;
  readonly hold: StoredHold | null;
  /** Members that this hold may have written, or may still write, though no answer said so. */
  readonly pendingMembers: readonly NodeAddress[];
  /** The list of members as last read, for an administrator where Consul has forgotten it. Nothing is decided by it. */
  readonly knownMembers: readonly NodeAddress[];
  /** What became of the last switchover that this node was asked for. */
  readonly switchover: SwitchoverState | null;
  /** See {@link DiskRecord.cleanStop}; the position as `pg_lsn` text. */
  readonly cleanStop: { readonly term: number; readonly lsn: string } | null;
}

export interface SeenByAnother {
  readonly term: number;
  readonly modifyIndex: number | null;
  readonly syncVersion: number;
}

/** ModifyIndex grows with every beat; it need not be written each time to show that Consul's memory went back. */
const INDEX_STEP = 200;

/** The node's memory. Every change that a promise or a right rests on is on disk before it is acted upon. */
export class Disk {
  private stored: Stored;
  private highestIndexSeen: number;
  private membersSeen: readonly NodeAddress[] | null = null;

  /** @throws CodedError if the file is there and cannot be read: guessing would break promises. */
  constructor(
    private readonly store: StateStore,
    private readonly node: string,
    private readonly promiseMs: number,
    private readonly machine: Pick<Machine, 'clock' | 'bootId'>,
    log: Log,
  ) {
    const found = storedIn(store.read(), store.name);
    const foreign = found !== null && found.node !== node;
    if (foreign)
      log.warn({ event: 'disk.foreign', found: found.node }, 'the stored state is of another node and is ignored');
    this.stored = found === null || foreign ? emptyState(node) : this.ofThisBoot(found);
    this.highestIndexSeen = this.stored.highestModifyIndex;
  }

  get hold(): StoredHold | null {
    return this.stored.hold;
  }

  get pendingMembers(): readonly NodeAddress[] {
    return this.stored.pendingMembers;
  }

  get knownMembers(): readonly NodeAddress[] {
    return this.stored.knownMembers;
  }

  get usedRejoin(): string | null {
    return this.stored.usedRejoin;
  }

  get votedTerm(): number {
    return this.stored.votedTerm;
  }

  get record(): DiskRecord {
    const { highestTerm, highestTermNode, epoch, dataTerm, ledTerm, led, deadMaster, rejoining, promise } = this.stored;
    const { highestSyncVersion, admittedTerm, switchover, cleanStop } = this.stored;
    return {
      highestTerm,
      highestTermNode,
      epoch,
      highestModifyIndex: this.highestIndexSeen,
      dataTerm,
      ledTerm,
      led,
      deadMaster,
      rejoining,
      promisedUntil: promise?.until ?? Number.NEGATIVE_INFINITY,
      highestSyncVersion,
      admittedTerm,
      switchover,
      cleanStop: cleanStop === null ? null : { ...cleanStop, lsn: parseLsn(cleanStop.lsn) },
    };
  }

  /** Writes what changes; nothing if nothing does. */
  update(change: Partial<Omit<Stored, 'node'>>): void {
    const next = { ...this.stored, ...change };
    if (isSameJson(next, this.stored)) return;
    this.store.write(next);
    this.stored = next;
  }

  /** @throws what keeps the state from being written now */
  proveWritable(): void {
    this.store.write(this.stored);
  }

  /** The hold is over, and so is the switchover for which it drained: from here on the history tells. */
  holdEnded(): void {
    const { switchover } = this.stored;
    const isOver = switchover?.state === 'draining';
    this.update({
      hold: null,
      pendingMembers: [],
      ...(isOver ? { switchover: { ...switchover, state: 'released' } } : {}),
    });
  }

  promise(until: Millis): void {
    this.update({ promise: { bootId: this.machine.bootId, until } });
  }

  /** Remembers the highest version of the key `sync` that this node has seen. */
  sawSync(version: number): void {
    if (version > this.stored.highestSyncVersion) this.update({ highestSyncVersion: version });
  }

  /** Remembers the highest term, with its holder, and the highest ModifyIndex of the `master` key that this node has seen. */
  saw(term: number, modifyIndex: number, node: string | null = null): void {
    this.highestIndexSeen = Math.max(this.highestIndexSeen, modifyIndex);
    const { highestTerm, highestModifyIndex, highestTermNode } = this.stored;
    const stale = this.highestIndexSeen >= highestModifyIndex + INDEX_STEP;
    const isNews = term > highestTerm || (term === highestTerm && highestTermNode === null && node !== null);
    if (!isNews && !stale) return;
    this.update({
      highestModifyIndex: this.highestIndexSeen,
      ...(isNews ? { highestTerm: term, highestTermNode: node } : {}),
    });
  }

  /**
   * A member has seen more than this node. A newer term may yet be seen in Consul, with its holder; one that the key calls this
   * node's own was not. An index is given where it showed the member that Consul's memory went back: it is written at once.
   */
  sawByAnother({ term, modifyIndex, syncVersion }: SeenByAnother): void {
    const { highestTerm, highestTermNode, highestSyncVersion } = this.stored;
    this.highestIndexSeen = Math.max(this.highestIndexSeen, modifyIndex ?? 0);
    this.update({
      ...(term > highestTerm ? { highestTerm: term, highestTermNode: null } : {}),
      ...(term === highestTerm && highestTermNode === this.node ? { highestTermNode: '' } : {}),
      ...(modifyIndex === null ? {} : { highestModifyIndex: this.highestIndexSeen }),
      highestSyncVersion: Math.max(highestSyncVersion, syncVersion),
    });
  }

  /** A new epoch: an administrator answers for it that smaller indexes and versions than those seen are right. True if it is new here. */
  sawEpoch(number: number, modifyIndex: number): boolean {
    if (number <= this.stored.epoch) return false;
    this.highestIndexSeen = modifyIndex;
    this.update({ epoch: number, highestModifyIndex: modifyIndex, highestSyncVersion: 0 });
    return true;
  }

  /** An emptied list is no news: it is what is left when Consul has lost its memory. */
  sawMembers(members: readonly NodeAddress[]): void {
    if (members === this.membersSeen || members.length === 0) return;
    this.membersSeen = members;
    this.update({ knownMembers: members });
  }

  /** After a reboot the old clock is gone: a promise counts anew from now, and a hold's processes are gone with it. */
  private ofThisBoot(found: Stored): Stored {
    const promise =
      found.promise === null || found.promise.bootId === this.machine.bootId
        ? found.promise
        : { bootId: this.machine.bootId, until: this.machine.clock.now() + this.promiseMs };
    return { ...emptyState(this.node), ...found, promise };
  }
}

/** Whatever is not what this program writes is refused: taken for foreign, or for nothing, it would undo promises. */
function storedIn(found: unknown, path: string): Stored | null {
  if (found === null) return null;
  const { node, highestTerm, highestModifyIndex, dataTerm, votedTerm } = found as Partial<Stored>;
  const numbers = [highestTerm, highestModifyIndex, dataTerm, votedTerm];
  if (typeof node !== 'string' || !numbers.every((number) => Number.isSafeInteger(number)))
    throw errors.HAPG_STATE_INVALID(`state file ${path} is not what a controller writes: ${JSON.stringify(found)}`);
  return found as Stored;
}

function emptyState(node: string): Stored {
  return {
    node,
    highestTerm: 0,
    highestTermNode: null,
    highestModifyIndex: 0,
    epoch: 0,
    dataTerm: 0,
    ledTerm: null,
    led: [],
    deadMaster: false,
    rejoining: null,
    usedRejoin: null,
    votedTerm: 0,
    highestSyncVersion: 0,
    admittedTerm: null,
    promise: null,
    hold: null,
    pendingMembers: [],
    knownMembers: [],
    switchover: null,
    cleanStop: null,
  };
}
