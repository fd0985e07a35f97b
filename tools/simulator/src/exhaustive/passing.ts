import type { Controller, Message, Node, StoredHold } from './state';
import { DRIFT, LEASE, ahead, type Ticks } from './times';

/** No rule looks at a sending time that is longer ago than this. */
const OLDEST_SENT: Ticks = -LEASE;
/** A sight of the key that is older is as old as any: whoever wrote it has ended its lease. */
const OLDEST_SEEN: Ticks = -(LEASE + DRIFT + 1);

/** A tick of a node's clock: everything that it remembers lies one further back. Times that no rule can tell apart become one. */
export function pass(node: Node): void {
  node.vow = soon(node.vow);
  node.disk.promise = soon(node.disk.promise);
  if (node.disk.hold !== null) passHold(node.disk.hold);
  const { answer, armed } = node.runner;
  if (answer !== null) answer.validUntil = sooner(answer.validUntil);
  if (armed !== null) armed.validUntil = Math.max(-1, armed.validUntil - 1);
  if (node.controller !== null) passController(node.controller);
}

function soon(at: Ticks | null): Ticks | null {
  return at === null ? null : ahead(at - 1);
}

/** A deadline: one that has passed is as good as any other that has. */
function sooner(at: Ticks | null): Ticks | null {
  return at === null ? null : Math.max(-1, at - 1);
}

function passHold(hold: Pick<StoredHold, 'waitUntil'>): void {
  hold.waitUntil = soon(hold.waitUntil);
}

function passController(controller: Controller): void {
  controller.answered = null;
  controller.lastAsk = null;
  controller.standBackUntil = soon(controller.standBackUntil);
  const { hold, published, asking, reading, master } = controller;
  if (hold !== null) {
    passHold(hold);
    hold.beaten = false;
    hold.record.end = soon(hold.record.end);
    hold.record.waiting = [...new Set(hold.record.waiting.map((at) => Math.max(OLDEST_SENT, at - 1)))];
  }
  if (published !== null) {
    published.since = Math.max(-1, published.since - 1);
    published.validUntil = sooner(published.validUntil);
  }
  if (asking !== null) asking.sentAt = Math.max(OLDEST_SENT, asking.sentAt - 1);
  if (reading !== null) reading.sentAt = Math.max(OLDEST_SEEN, reading.sentAt - 1);
  if (master !== null) passSight(master);
}

/** The distance between the first look and the last confirmation is what is asked for, and stays. */
function passSight(sight: NonNullable<Controller['master']>): void {
  const isOldest = sight.firstSeen <= OLDEST_SEEN;
  const confirmed = isOldest ? sight.confirmed : sight.confirmed - 1;
  if (!isOldest) sight.firstSeen -= 1;
  sight.confirmed = Math.min(confirmed, sight.firstSeen + LEASE + DRIFT + 1);
}

/** A tick of the clock of its sender. */
export function passMessage(message: Message): Message {
  return { ...message, sentAt: Math.max(OLDEST_SENT, message.sentAt - 1) };
}
