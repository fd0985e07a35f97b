import { BodyText, openBody, sizedBody, type AnswerBody } from './answer-body';
import { AnswerHead } from './answer-head';
import { ChunkedBody } from './chunked-body';
import { HttpSyntaxError } from './syntax-error';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** By its name in small letters, the first if there are several; undefined if there is none. */
  readonly header: (name: string) => string | undefined;
}

const HEAD_END = '\r\n\r\n';
/** Of what has no end yet: a head, or a line between chunks. */
const UNFINISHED_BYTES_MAX = 65_536;
const NOTHING = Buffer.alloc(0);

/** Reads one answer, from bytes however they are cut. They may be overwritten afterwards: what is needed later is copied. */
export class AnswerParser {
  readonly #text: BodyText;
  #rest = NOTHING;
  #head: AnswerHead | null = null;
  #body: AnswerBody | null = null;

  constructor(bodyBytesMax: number) {
    this.#text = new BodyText(bodyBytesMax);
  }

  /** Whether the connection may carry another request once this answer is whole. */
  get keepsConnection(): boolean {
    return this.#head?.keepsConnection === true && this.#body?.endsWithConnection === false;
  }

  /** The answer, if these bytes make it whole. @throws HttpSyntaxError */
  take(bytes: Buffer): HttpAnswer | null {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (this.#body === null) {
      const end = all.indexOf(HEAD_END, at, 'latin1');
      if (end < 0) return this.#keep(all, at);
      this.#begin(new AnswerHead(all.toString('latin1', at, end)));
      at = end + HEAD_END.length;
    }
    at += this.#body.take(all, at);
    if (!this.#body.isWhole()) return this.#keep(all, at);
    if (at < all.length) throw new HttpSyntaxError(`${all.length - at} bytes beyond the end of the answer`);
    return this.#answer();
  }

  /** The server closed the connection: the answer, if that is its end; null if something is missing. */
  end(): HttpAnswer | null {
    return this.#body?.endsWithConnection === true ? this.#answer() : null;
  }

  #keep(bytes: Buffer, from: number): null {
    if (bytes.length - from > UNFINISHED_BYTES_MAX)
      throw new HttpSyntaxError(`more than ${UNFINISHED_BYTES_MAX} bytes without an end`);
    this.#rest = from === bytes.length ? NOTHING : Buffer.from(bytes.subarray(from));
    return null;
  }

  #begin(head: AnswerHead): void {
    if (head.status === 101) throw new HttpSyntaxError('101: nobody asked for another protocol');
    // 100 and 103 are said before the answer.
    if (head.status < 200) return;
    this.#head = head;
    this.#body = this.#bodyOf(head);
  }

  #bodyOf(head: AnswerHead): AnswerBody {
    if (head.status === 204 || head.status === 304) return sizedBody(this.#text, 0);
    const coding = head.header('transfer-encoding')?.toLowerCase();
    if (coding === 'chunked') return new ChunkedBody(this.#text);
    if (coding !== undefined) throw new HttpSyntaxError(`Transfer-Encoding: ${coding}`);
    return head.contentLength === null ? openBody(this.#text) : sizedBody(this.#text, head.contentLength);
  }

  #answer(): HttpAnswer | null {
    const head = this.#head;
    return head && { status: head.status, body: this.#text.text, header: (name) => head.header(name) };
  }
}
