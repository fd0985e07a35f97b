import type { Command } from './command';
import { argumentError } from './errors';
import { whyUnsendable } from './words';

// Bytes in, messages out; no socket here. Measured on HAProxy 2.6.12:
// - Some answers lack their final newline ("Server deleted.", "health checks are not enabled on this server"), so the
//   empty line that the manual promises after each reply is missing and the next reply runs into it. Commands joined
//   with ";" can therefore not be told apart; besides, HAProxy closes the connection after the first of them when the
//   line arrives in two pieces.
// - In interactive mode every reply ends with "\n> ", whatever its text, and commands may arrive in any pieces.
// `prompt` is a toggle, off on every new connection, in 2.6 as in 3.2.

const PROMPT = Buffer.from('\n> ');
const PREAMBLE = ['prompt', 'set severity-output number'];

/** Answers that come before those of the commands, all empty. */
export const PREAMBLE_REPLIES = PREAMBLE.length;

/** HAProxy resets the connection on a line that fills its buffer (`tune.bufsize`, 16384; 16383 bytes were too many). */
export const COMMAND_BYTES_MAX = 16_000;

function assertSendable(line: string): void {
  const reason = line.trim() === '' ? 'is empty' : whyUnsendable(line);
  if (reason !== undefined) throw argumentError('command', line, reason);
  // A backslash before the newline would swallow it.
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(line)) throw argumentError('command', line, 'ends with an unescaped backslash');
  const bytes = Buffer.byteLength(line);
  if (bytes > COMMAND_BYTES_MAX) {
    throw argumentError('command', `${line.slice(0, 80)}…`, `has ${bytes} bytes, at most ${COMMAND_BYTES_MAX} fit`);
  }
}

/**
 * The bytes of one conversation: preamble, the commands in order, and the end.
 * @throws RuntimeError HAPROXY_ARGUMENT if any command must not be sent; then none is.
 */
export function encode(commands: readonly Command[]): Buffer {
  for (const { line } of commands) assertSendable(line);
  return Buffer.from([...PREAMBLE, ...commands.map(({ line }) => line), 'quit', ''].join('\n'));
}

/** Cuts what HAProxy sends into replies, however the bytes arrive. */
export class ReplyReader {
  #pieces: Buffer[] = [];
  /** The last bytes seen, in case a prompt is cut in two. */
  #tail = Buffer.alloc(0);

  /** Takes the next bytes; returns the raw texts that they complete, in order. */
  feed(bytes: Uint8Array): readonly string[] {
    const chunk = Buffer.from(bytes);
    const seam = Buffer.concat([this.#tail, chunk]);
    if (!seam.includes(PROMPT)) {
      this.#pieces.push(chunk);
      this.#tail = Buffer.from(seam.subarray(-(PROMPT.length - 1)));
      return [];
    }
    return this.#cut(Buffer.concat([...this.#pieces, chunk]));
  }

  #cut(received: Buffer): readonly string[] {
    const texts: string[] = [];
    let start = 0;
    for (let end = received.indexOf(PROMPT); end >= 0; end = received.indexOf(PROMPT, start)) {
      texts.push(received.toString('utf8', start, end));
      start = end + PROMPT.length;
    }
    const rest = received.subarray(start);
    this.#pieces = [rest];
    this.#tail = Buffer.from(rest.subarray(-(PROMPT.length - 1)));
    return texts;
  }
}
