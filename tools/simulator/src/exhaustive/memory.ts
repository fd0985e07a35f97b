import { Disk, type Stored } from '@ha-postgres/db-controller/controller';
import { LeaseRecord } from '@ha-postgres/consul-election/testing';
import type { Controller, DiskState, Lease, Name, Node, StoredHold } from './state';
import { LEASE, NOW, TIMES, DRIFT, TICK_MS, ahead, toMillis, toTicks } from './times';
import { lastMasterOf } from './values';

/** The real keepers of what a node knows, filled from a state, and put back into one. */

type Log = ConstructorParameters<typeof Disk>[4];

/** Nobody reads it: a reader is told the steps. */
export const silentLog = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, () => undefined]),
) as unknown as Log;

const BOOT = 'boot';
export const clock = { now: () => NOW };

/** The node's real disk. What it writes is in the state when the call that wrote it returns. */
export function diskOf(name: Name, node: Node): Disk {
  const store = {
    name: `disk of ${name}`,
    read: () => storedOf(name, node.disk),
    write: (value: unknown) => {
      node.disk = diskStateOf(value as Stored);
    },
  };
  const machine = { clock, bootId: BOOT } as unknown as ConstructorParameters<typeof Disk>[3];
  const disk = new Disk(store, name, (LEASE + DRIFT) * TICK_MS, machine, silentLog);
  const seen = { highestIndexSeen: node.controller?.highestIndexSeen ?? node.disk.highestIndex };
  return Object.assign(disk, seen);
}

function storedOf(node: string, disk: DiskState): Stored {
  const { highestTerm, highestTermNode, dataTerm, ledTerm, led, deadMaster, rejoining, votedTerm } = disk;
  return {
    ...{ node, highestTerm, highestTermNode, dataTerm, ledTerm, led, deadMaster, rejoining, votedTerm },
    ...{ highestModifyIndex: disk.highestIndex, epoch: 0, usedRejoin: null, highestSyncVersion: 0 },
    ...{ admittedTerm: null, knownMembers: [], pendingMembers: [], switchover: null, cleanStop: null },
    promise: disk.promise === null ? null : { bootId: BOOT, until: toMillis(disk.promise) },
    hold: disk.hold === null ? null : fullHold(disk.hold),
  };
}

export function fullHold({ term, session, phase, waitUntil, predecessor, last, parentTerm }: StoredHold) {
  const until = waitUntil === null ? null : toMillis(waitUntil);
  return {
    ...{ bootId: BOOT, term, session, phase, acquiredAt: NOW, waitUntil: until, predecessor },
    ...{ last: lastMasterOf(last), parentTerm },
  };
}

function diskStateOf(stored: Stored): DiskState {
  const { highestTerm, highestTermNode, dataTerm, ledTerm, led, deadMaster, rejoining, votedTerm } = stored;
  const { promise, hold, highestModifyIndex: highestIndex } = stored;
  return {
    ...{ highestTerm, highestTermNode, highestIndex, dataTerm, ledTerm, led: [...led] },
    ...{ deadMaster, rejoining, votedTerm },
    promise: promise === null ? null : ahead(toTicks(promise.until)),
    hold:
      hold === null
        ? null
        : {
            ...{ term: hold.term, session: hold.session, phase: hold.phase, parentTerm: hold.parentTerm },
            waitUntil: ahead(hold.waitUntil === null ? null : toTicks(hold.waitUntil)),
            predecessor: hold.predecessor ?? { node: 'unknown', term: 0 },
            last: { node: hold.last?.node ?? 'unknown', term: hold.last?.term ?? 0 },
          },
  };
}

/** The fields of a `LeaseRecord`, which has no way to be looked into. */
interface Inside {
  end: number;
  lostWhy: string | null;
  waiting: number[];
  countsFrom: number;
  closed: boolean;
  provenSinceReopened: boolean;
  latest: { beat: number; modifyIndex: number };
  standing: { beat: number; modifyIndex: number };
}

export function leaseRecordOf(lease: Lease): LeaseRecord {
  return Object.assign(new LeaseRecord(TIMES), {
    end: toMillis(lease.end),
    lostWhy: lease.lost ? 'Consul said so' : null,
    waiting: lease.waiting.map(toMillis),
    closed: lease.closed,
    // Beats of a process that is gone are not answered to this one, and an ended hold is not taken up again.
    countsFrom: 0,
    provenSinceReopened: true,
    latest: { beat: 0, modifyIndex: 0 },
    standing: { beat: 0, modifyIndex: lease.standingIndex },
  } satisfies Inside);
}

export function leaseOf(record: LeaseRecord): Lease {
  const inside = record as unknown as Inside;
  return {
    end: ahead(toTicks(inside.end)),
    lost: inside.lostWhy !== null,
    waiting: inside.waiting.map((at) => toTicks(at) ?? 0),
    closed: inside.closed,
    standingIndex: inside.standing.modifyIndex,
  };
}

/** A controller that has just been started: it knows what is on disk, and nothing else. */
export function newController(node: Node): Controller {
  return {
    ...{ master: null, members: null, answered: null, highestIndexSeen: node.disk.highestIndex },
    ...{ ending: null, standBackUntil: null, hold: null, acquiring: false, resuming: node.disk.hold !== null },
    ...{ releasing: false, writing: null, votedFor: null, asking: null, lastAsk: null, pending: [] },
    ...{ published: null, ownKill: false, reading: null },
  };
}
