import {
  acquire,
  beat,
  release,
  type KvEntry,
  type TxnResult,
  type Unchanging,
  type WriteResult,
} from '@ha-postgres/consul-election';
import { LeaseRecord } from '@ha-postgres/consul-election/testing';
import { forgetHold, sendRelease } from './act';
import { MASTER, acquireRequest, alsoOf } from './consul';
import { diskOf, leaseOf, leaseRecordOf } from './memory';
import type { Acquire, Beat, Consul, Controller, Hold, Message, Name, Release, StoredHold } from './state';
import { LEASE, NOW, TIMES, toMillis } from './times';
import type { Work } from './work';

/**
 * An answer of Consul arrives. What it says is read by the real `acquire`, `beat` and `release` of consul-election; what is made of
 * it is what `LeaseHolder`, `OwnHold` and `lockEffects` do, over the real `LeaseRecord`.
 */
export async function deliver(work: Work, message: Message, consul: Consul): Promise<void> {
  const { controller } = work.node;
  if (controller === null || message.result === null) return;
  switch (message.kind) {
    case 'beat': {
      beatAnswered(work, controller, message, await readBeat(message), consul);
      return;
    }
    case 'acquire': {
      acquireAnswered(work, controller, message, await acquire(clientWith(message), acquireRequest(message)));
      return;
    }
    case 'release': {
      const { session, value, own: ownLastIndex } = message;
      const result = await release(clientWith(message), { key: MASTER, session, value, ownLastIndex });
      releaseAnswered(work, controller, message, result, consul);
      return;
    }
  }
}

/** No answer comes any more. */
export function giveUp(work: Work, message: Message): void {
  const { controller } = work.node;
  if (controller === null) return;
  if (message.kind === 'acquire') discard(work, controller, message.session);
  else if (message.kind === 'release') controller.releasing = false;
  else if (message.why === 'resume') discard(work, controller, message.session);
  else if (message.why === 'running' || message.why === 'members') controller.writing = null;
}

/** A client to which Consul's answer has just come. */
function clientWith({ result, sentAt }: Message) {
  const times = { sentAt: toMillis(sentAt), receivedAt: NOW };
  const answer: TxnResult =
    result?.committed === true
      ? { committed: true, entries: result.entries.map(stripped), ...times }
      : {
          committed: false,
          errors: (result?.errors ?? []).map((error) => ({ ...error, opIndex: error.operation })),
          ...times,
        };
  return { transaction: () => Promise.resolve(answer) };
}

function stripped({ key, index }: { key: string; index: number }): KvEntry {
  return { key, value: '', modifyIndex: index, session: null, createIndex: 1, lockIndex: 1, flags: 0 };
}

function readBeat(message: Beat): Promise<WriteResult | Unchanging> {
  const { session, value } = message;
  return beat(clientWith(message), { key: MASTER, session, value, alsoWrite: alsoOf(message) });
}

function beatAnswered(
  work: Work,
  controller: Controller,
  message: Beat,
  result: WriteResult | Unchanging,
  consul: Consul,
): void {
  const { hold } = controller;
  if (message.why === 'resume') {
    resumed(work, controller, message, result);
    return;
  }
  if (hold?.session !== message.session) return;
  const record = leaseRecordOf(hold.record);
  const before = record.endsAt;
  if (result.done) record.succeeded(message.number, result.sentAt, result.modifyIndex);
  else if (result.why === 'not-held') record.refused('not held');
  countsFromSending(work, message, record, before);
  hold.record = leaseOf(record);
  if (message.why === 'running') runningAnswered(work, controller, hold, result.done);
  if (message.why === 'members') membersAnswered(controller, message, result, consul);
}

/** What the others wait out begins when the write was sent, at the latest. */
function countsFromSending(
  { name, never }: Pick<Work, 'name' | 'never'>,
  message: Message,
  record: LeaseRecord,
  before = -Infinity,
): void {
  if (record.endsAt > Math.max(before, toMillis(message.sentAt + LEASE)))
    never(`the lease of ${name} ends later than its duration after the write was sent`);
}

function runningAnswered({ name, node, notes }: Work, controller: Controller, hold: Hold, isDone: boolean): void {
  controller.writing = null;
  if (!isDone) return;
  hold.announced = 'running';
  hold.phase = 'running';
  if (node.disk.hold !== null) node.disk.hold.phase = 'running';
  notes.push(`${name} runs as Master of term ${hold.term}`);
}

/** Learnt at once; after a refusal the list is read again. Without an answer it may still be written. */
function membersAnswered(
  controller: Controller,
  message: Beat,
  result: WriteResult | Unchanging,
  consul: Consul,
): void {
  controller.writing = null;
  controller.pending = [];
  const written = result.done ? result.entries.find(({ key }) => key !== MASTER) : undefined;
  controller.members =
    written === undefined || message.also === null
      ? membersIn(consul)
      : { list: message.also.list, index: written.modifyIndex };
}

export function membersIn({ members }: Consul): NonNullable<Controller['members']> {
  return { list: members.value.split(',') as Name[], index: members.index };
}

function acquireAnswered(work: Work, controller: Controller, message: Acquire, result: WriteResult): void {
  const { name, node } = work;
  const stored = node.disk.hold;
  if (!result.done || stored === null) {
    discard(work, controller, message.session);
    return;
  }
  const record = new LeaseRecord(TIMES);
  record.acquired(result.sentAt, result.modifyIndex);
  countsFromSending(work, message, record);
  controller.acquiring = false;
  controller.hold = heldBy(stored, record);
  // Nothing is decided by what was seen before; when the hold is over it looks anew.
  controller.master = null;
  diskOf(name, node).saw(stored.term, result.modifyIndex, name);
  work.note(`${name} holds the lock for term ${stored.term}`);
}

function heldBy(stored: StoredHold, record: LeaseRecord): Hold {
  const { term, session, phase, waitUntil, predecessor, last, parentTerm } = stored;
  const mayHaveRun = phase === 'running' || phase === 'draining';
  return {
    ...{ term, session, announced: phase, phase, mayHaveRun, refused: false, waitUntil, predecessor, last, parentTerm },
    ...{ record: leaseOf(record), beaten: true },
  };
}

/** `LeaseHolder.resume` of a controller that was restarted: one beat that succeeds proves the unbroken hold. */
function resumed(work: Work, controller: Controller, message: Beat, result: WriteResult | Unchanging): void {
  const stored = work.node.disk.hold;
  if (stored === null || (!result.done && result.why !== 'not-held')) return;
  if (!result.done) {
    discard(work, controller, message.session);
    return;
  }
  const record = new LeaseRecord(TIMES);
  record.reopen(message.number);
  record.sent(result.sentAt);
  record.succeeded(message.number, result.sentAt, result.modifyIndex);
  controller.resuming = false;
  controller.hold = heldBy(stored, record);
  work.note(`${work.name} goes on with its hold of term ${stored.term}`);
}

/** The lock may be held as long as the session lives: `discard` goes on until Consul says that it is gone. */
function discard(work: Work, controller: Controller, session: string): void {
  work.ended.push(session);
  controller.acquiring = false;
  controller.resuming = false;
  work.node.disk.hold = null;
}

/** `releaseUntil`: after a refusal it looks again, and tries again if the key is its own still. */
function releaseAnswered(
  work: Work,
  controller: Controller,
  message: Release,
  result: WriteResult,
  { master }: Consul,
): void {
  const { hold } = controller;
  // The answer to a process that was killed comes to nobody.
  if (hold?.session !== message.session || !controller.releasing) return;
  if (!result.done && master.session === hold.session) {
    sendRelease(work, hold, message.value, master.index);
    return;
  }
  if (result.done || (master.session === null && master.value === message.value)) {
    forgetHold(work, controller);
    return;
  }
  hold.refused = true;
  controller.releasing = false;
}
