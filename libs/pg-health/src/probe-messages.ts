/** PostgreSQL's protocol (3.0), as much of it as one login and one query need. */

export interface Message {
  /** The letter by which the protocol knows it. */
  readonly type: string;
  /** Without type and length. */
  readonly body: Buffer;
}

const PROTOCOL_3_0 = 196_608;
/** What nothing that is asked for here comes near. */
const MESSAGE_BYTES_MAX = 1_048_576;
const HEAD_BYTES = 5;
const NOTHING = Buffer.alloc(0);
const SCRAM = 'SCRAM-SHA-256';

/** Messages out of bytes, however they are cut. Bytes that were given may be overwritten afterwards. */
export class MessageReader {
  #rest = NOTHING;

  /** All messages that are whole by now. @throws Error if what came is no message. */
  take(bytes: Buffer): readonly Message[] {
    const all = Buffer.concat([this.#rest, bytes]);
    const messages: Message[] = [];
    let at = 0;
    while (all.length - at >= HEAD_BYTES) {
      const length = all.readInt32BE(at + 1);
      if (length < 4 || length > MESSAGE_BYTES_MAX)
        throw new Error(`not a message of PostgreSQL: ${length} bytes long`);
      const end = at + 1 + length;
      if (end > all.length) break;
      messages.push({ type: all.toString('latin1', at, at + 1), body: all.subarray(at + HEAD_BYTES, end) });
      at = end;
    }
    this.#rest = all.subarray(at);
    return messages;
  }
}

/** The first message, which alone has no letter. */
export function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters).flatMap(([name, value]) => [name, value]);
  const body = Buffer.from(`${text.join('\0')}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8);
  head.writeInt32BE(PROTOCOL_3_0, 4);
  return Buffer.concat([head, body]);
}

function message(type: string, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

export const queryMessage = (sql: string): Buffer => message('Q', Buffer.from(`${sql}\0`));
export const TERMINATE = message('X');

export function saslFirstMessage(first: string): Buffer {
  const content = Buffer.from(first);
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return message('p', Buffer.from(`${SCRAM}\0`), length, content);
}

export const saslMessage = (content: string): Buffer => message('p', Buffer.from(content));

/** What the server asks for, or says, to log in. */
export type Authentication =
  | { readonly kind: 'ok' }
  | { readonly kind: 'scram' }
  | { readonly kind: 'scram first' | 'scram last'; readonly text: string }
  | { readonly kind: 'other' };

/** Of a message `R`. */
export function authenticationOf(body: Buffer): Authentication {
  const text = body.toString('utf8', 4);
  switch (body.readInt32BE()) {
    case 0:
      return { kind: 'ok' };
    case 10:
      return { kind: text.split('\0').includes(SCRAM) ? 'scram' : 'other' };
    case 11:
      return { kind: 'scram first', text };
    case 12:
      return { kind: 'scram last', text };
    default:
      return { kind: 'other' };
  }
}

/** Of a message `E`; with `severity` and `code` (SQLSTATE) as node-postgres gives them. */
export function errorOf(body: Buffer): Error {
  const fields = new Map(
    body
      .toString('utf8')
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  // V is what S is, but never translated.
  const severity = fields.get('V') ?? fields.get('S');
  return Object.assign(new Error(fields.get('M') ?? ''), { severity, code: fields.get('C') });
}

/** Of a message `D`, as text; null stands for NULL. */
export function rowOf(body: Buffer): readonly (string | null)[] {
  let at = 2;
  return Array.from({ length: body.readInt16BE() }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return body.toString('utf8', at - length, at);
  });
}
