import { HttpSyntaxError } from './syntax-error';

/** The first line of a message and its headers. Names are looked for when they are asked for, which most never are. */
export class MessageHead {
  readonly #text: string;
  readonly #small: string;

  /** @param text up to the empty line, without it */
  constructor(
    text: string,
    private readonly isOld: boolean,
  ) {
    this.#text = text;
    this.#small = text.toLowerCase();
  }

  /** By its name in small letters, the first if there are several; undefined if there is none. */
  header(name: string): string | undefined {
    const at = this.#small.indexOf(`\r\n${name}:`);
    if (at < 0) return undefined;
    const from = at + name.length + 3;
    const to = this.#text.indexOf('\r\n', from);
    return this.#text.slice(from, to < 0 ? undefined : to).trim();
  }

  /** Bytes of the body; null if it is not said. @throws HttpSyntaxError */
  get contentLength(): number | null {
    const text = this.header('content-length');
    if (text === undefined) return null;
    const isSaidTwice = this.#small.indexOf('\r\ncontent-length:') !== this.#small.lastIndexOf('\r\ncontent-length:');
    if (isSaidTwice || !/^\d{1,15}$/.test(text)) throw new HttpSyntaxError(`Content-Length: ${JSON.stringify(text)}`);
    return Number(text);
  }

  /** @throws HttpSyntaxError if it is coded in another way */
  get isChunked(): boolean {
    const coding = this.header('transfer-encoding')?.toLowerCase();
    if (coding !== undefined && coding !== 'chunked') throw new HttpSyntaxError(`Transfer-Encoding: ${coding}`);
    return coding === 'chunked';
  }

  /** Whether whoever sent it lets the connection be used again. */
  get keepsConnection(): boolean {
    const said = this.header('connection')?.toLowerCase();
    return this.isOld ? said === 'keep-alive' : said !== 'close';
  }
}
