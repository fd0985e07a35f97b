import type { MessageBody, BodyText } from './message-body';
import { HttpSyntaxError } from './syntax-error';

/** In hexadecimal, before extensions that nobody uses. */
const CHUNK_SIZE = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i;
const LINE_END = '\r\n';

/** In chunks, each behind its size; then one of size 0, and trailers up to an empty line. */
export class ChunkedBody implements MessageBody {
  readonly endsWithConnection = false;
  readonly #text: BodyText;
  #next: 'size' | 'data' | 'end of data' | 'trailer' | 'nothing' = 'size';
  #missing = 0;

  constructor(text: BodyText) {
    this.#text = text;
  }

  isWhole(): boolean {
    return this.#next === 'nothing';
  }

  take(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && !this.isWhole()) {
      const count = this.#next === 'data' ? this.#takeData(bytes, at) : this.#takeLine(bytes, at);
      if (count === 0) break;
      at += count;
    }
    return at - from;
  }

  #takeData(bytes: Buffer, from: number): number {
    const count = Math.min(this.#missing, bytes.length - from);
    this.#text.add(bytes, from, count);
    this.#missing -= count;
    if (this.#missing === 0) this.#next = 'end of data';
    return count;
  }

  #takeLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(LINE_END, from, 'latin1');
    if (end < 0) return 0;
    this.#read(bytes.toString('latin1', from, end));
    return end + LINE_END.length - from;
  }

  #read(line: string): void {
    if (this.#next === 'trailer') {
      if (line === '') this.#next = 'nothing';
    } else if (this.#next === 'end of data') {
      if (line !== '') throw new HttpSyntaxError('a chunk is longer than it said');
      this.#next = 'size';
    } else {
      this.#missing = sizeOf(line);
      this.#next = this.#missing === 0 ? 'trailer' : 'data';
    }
  }
}

function sizeOf(line: string): number {
  const size = CHUNK_SIZE.exec(line)?.[1];
  if (size === undefined) throw new HttpSyntaxError(`not the size of a chunk: ${JSON.stringify(line.slice(0, 40))}`);
  return Number.parseInt(size, 16);
}
