import { BodyText, type MessageBody } from './message-body';
import type { MessageHead } from './message-head';
import { HttpSyntaxError } from './syntax-error';

export interface Whole<H extends MessageHead> {
  readonly head: H;
  readonly body: string;
}

const HEAD_END = '\r\n\r\n';
/** Of what has no end yet: a head, or a line between chunks. */
const UNFINISHED_BYTES_MAX = 65_536;
const NOTHING = Buffer.alloc(0);

/** Reads one message, from bytes however they are cut. They may be overwritten afterwards: what is needed later is copied. */
export abstract class MessageParser<H extends MessageHead> {
  readonly #text: BodyText;
  #rest = NOTHING;
  #head: H | null = null;
  #body: MessageBody | null = null;

  constructor(bodyBytesMax: number) {
    this.#text = new BodyText(bodyBytesMax);
  }

  /** Null for one that only goes before the message. @throws HttpSyntaxError */
  protected abstract headOf(text: string): H | null;
  /** @throws HttpSyntaxError */
  protected abstract bodyOf(head: H, text: BodyText): MessageBody;

  /** Whether the connection may carry another message once this one is whole. */
  get keepsConnection(): boolean {
    return this.#head?.keepsConnection === true && this.#body?.endsWithConnection === false;
  }

  /** The message, if these bytes make it whole. @throws HttpSyntaxError */
  read(bytes: Buffer): Whole<H> | null {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (this.#body === null) {
      const end = all.indexOf(HEAD_END, at, 'latin1');
      if (end < 0) return this.#keep(all, at);
      this.#begin(this.headOf(all.toString('latin1', at, end)));
      at = end + HEAD_END.length;
    }
    at += this.#body.take(all, at);
    if (!this.#body.isWhole()) return this.#keep(all, at);
    if (at < all.length) throw new HttpSyntaxError(`${all.length - at} bytes beyond the end of the message`);
    return this.#whole();
  }

  /** The other side closed the connection: the message, if that is its end; null if something is missing. */
  readEnd(): Whole<H> | null {
    return this.#body?.endsWithConnection === true ? this.#whole() : null;
  }

  #begin(head: H | null): void {
    if (head === null) return;
    this.#head = head;
    this.#body = this.bodyOf(head, this.#text);
  }

  #keep(bytes: Buffer, from: number): null {
    if (bytes.length - from > UNFINISHED_BYTES_MAX)
      throw new HttpSyntaxError(`more than ${UNFINISHED_BYTES_MAX} bytes without an end`);
    this.#rest = from === bytes.length ? NOTHING : Buffer.from(bytes.subarray(from));
    return null;
  }

  #whole(): Whole<H> | null {
    return this.#head && { head: this.#head, body: this.#text.text };
  }
}
