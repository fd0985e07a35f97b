import type { Zone } from './dns-zone';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const CLASS_IN = 1;
const NO_SUCH_NAME = 3;
const NOT_DONE = 4;
/** Seconds for which an answer may be kept: pods come and go. */
const TTL_SECONDS = 1;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  /** As it was asked, to be said again in the answer. */
  readonly bytes: Buffer;
  readonly isRecursionWanted: boolean;
}

/** The answer to a question for names of the zone; null: that was no question. Other names do not exist. */
export function answerTo(message: Buffer, zone: Zone): Buffer | null {
  const question = questionIn(message);
  if (question === null) return null;
  const addresses = zone.get(question.name);
  if (question.bytes.readUInt16BE(question.bytes.length - 2) !== CLASS_IN) return answer(question, NOT_DONE, []);
  if (addresses === undefined) return answer(question, NO_SUCH_NAME, []);
  return answer(question, 0, question.type === TYPE_A ? addresses : []);
}

function questionIn(message: Buffer): Question | null {
  if (message.length < HEADER_BYTES + 5 || message.readUInt16BE(4) !== 1) return null;
  const flags = message.readUInt16BE(2);
  // An answer, or another kind of request.
  if ((flags & 0xf800) !== 0) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return null;
    at += 1 + length;
    if (length === 0) break;
    labels.push(message.toString('latin1', at - length, at));
  }
  if (at + 4 > message.length) return null;
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(at),
    bytes: message.subarray(HEADER_BYTES, at + 4),
    isRecursionWanted: (flags & 0x0100) !== 0,
  };
}

function answer(question: Question, code: number, addresses: readonly string[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(question.id, 0);
  // An answer, with authority, recursion available.
  header.writeUInt16BE(0x8480 | (question.isRecursionWanted ? 0x0100 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  return Buffer.concat([header, question.bytes, ...addresses.map(record)]);
}

function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  // The name is that of the question.
  bytes.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  bytes.writeUInt16BE(TYPE_A, 2);
  bytes.writeUInt16BE(CLASS_IN, 4);
  bytes.writeUInt32BE(TTL_SECONDS, 6);
  bytes.writeUInt16BE(4, 10);
  address.split('.').forEach((part, index) => bytes.writeUInt8(Number(part), 12 + index));
  return bytes;
}
