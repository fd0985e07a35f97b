import { HttpSyntaxError } from './syntax-error';

const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/;

/** Status line and headers. Names are looked for when they are asked for, which most never are. */
export class AnswerHead {
  readonly status: number;
  readonly #text: string;
  readonly #small: string;
  readonly #isOld: boolean;

  /** @param text up to the empty line, without it. @throws HttpSyntaxError */
  constructor(text: string) {
    const found = STATUS_LINE.exec(text);
    if (found === null)
      throw new HttpSyntaxError(`not the beginning of an answer: ${JSON.stringify(text.slice(0, 40))}`);
    this.#isOld = found[1] === '0';
    this.status = Number(found[2]);
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

  /** Whether the server lets the connection be used again. */
  get keepsConnection(): boolean {
    const said = this.header('connection')?.toLowerCase();
    return this.#isOld ? said === 'keep-alive' : said !== 'close';
  }
}
