import { HttpSyntaxError } from './syntax-error';

/** What lies between the head of a message and its end. */
export interface MessageBody {
  /** How many of the bytes from `from` on it took. It is given the others again, with more behind them. @throws HttpSyntaxError */
  readonly take: (bytes: Buffer, from: number) => number;
  readonly isWhole: () => boolean;
  /** Whether it ends where the connection does. */
  readonly endsWithConnection: boolean;
}

/** The bytes of a body, which may be overwritten where they came from. */
export class BodyText {
  readonly #bytesMax: number;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #text: string | null = null;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get text(): string {
    return this.#text ?? Buffer.concat(this.#parts).toString('utf8');
  }

  /** @throws HttpSyntaxError beyond the limit. */
  mayHold(bytes: number): void {
    if (bytes > this.#bytesMax) throw new HttpSyntaxError(`a body of more than ${this.#bytesMax} bytes`);
  }

  add(bytes: Buffer, from: number, count: number): void {
    this.#bytes += count;
    this.mayHold(this.#bytes);
    this.#parts.push(Buffer.from(bytes.subarray(from, from + count)));
  }

  /** All of it at once, as nearly all bodies come: nothing is copied. */
  is(bytes: Buffer, from: number, count: number): void {
    this.#text = bytes.toString('utf8', from, from + count);
  }
}

/** Of a length that is known. @throws HttpSyntaxError if it is above the limit. */
export function sizedBody(text: BodyText, length: number): MessageBody {
  text.mayHold(length);
  let missing = length;
  return {
    take: (bytes, from) => {
      const count = Math.min(missing, bytes.length - from);
      if (count === length) text.is(bytes, from, count);
      else text.add(bytes, from, count);
      missing -= count;
      return count;
    },
    isWhole: () => missing === 0,
    endsWithConnection: false,
  };
}

/** Of a length that is said by nothing but its end. */
export function openBody(text: BodyText): MessageBody {
  return {
    take: (bytes, from) => {
      text.add(bytes, from, bytes.length - from);
      return bytes.length - from;
    },
    isWhole: () => false,
    endsWithConnection: true,
  };
}
