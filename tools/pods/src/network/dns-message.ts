import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type DecodedPacket,
} from 'dns-packet';
import type { Zone } from './dns-zone';

/** The bits that say what kind of request it is: none is set for a question. */
const KIND_OF_REQUEST = 0x7800;
const NO_SUCH_NAME = 3;
const NOT_DONE = 4;
/** Seconds for which an answer may be kept: pods come and go. */
const TTL_SECONDS = 1;

/** The answer to a question for names of the zone; null: that was no question. Other names do not exist. */
export function answerTo(message: Buffer, zone: Zone): Buffer | null {
  const packet = decoded(message);
  const { flags = 0, questions: [question, ...more] = [] } = packet ?? {};
  if (packet?.type !== 'query' || (flags & KIND_OF_REQUEST) !== 0) return null;
  if (question === undefined || more.length > 0) return null;
  const addresses = question.class === 'IN' ? zone.get(question.name.toLowerCase()) : [];
  const code = question.class === 'IN' ? (addresses === undefined ? NO_SUCH_NAME : 0) : NOT_DONE;
  return encode({
    type: 'response',
    id: packet.id ?? 0,
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (flags & RECURSION_DESIRED) | code,
    questions: [question],
    answers: (question.type === 'A' ? (addresses ?? []) : []).map((data) => ({
      ...{ type: 'A', name: question.name, ttl: TTL_SECONDS, data },
    })),
  });
}

/** Null: it is no message of DNS. */
function decoded(message: Buffer): DecodedPacket | null {
  try {
    return decode(message);
  } catch {
    return null;
  }
}
