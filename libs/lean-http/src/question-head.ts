import { MessageHead } from './message-head';
import { HttpSyntaxError } from './syntax-error';

const REQUEST_LINE = /^([A-Z]{1,16}) (\/[\x21-\x7e]*) HTTP\/1\.([01])(?:\r|$)/;

/** Method, path and headers of a request. */
export class QuestionHead extends MessageHead {
  readonly method: string;
  /** With the query, escaped. */
  readonly path: string;

  /** @throws HttpSyntaxError */
  constructor(text: string) {
    const found = REQUEST_LINE.exec(text);
    if (found === null)
      throw new HttpSyntaxError(`not the beginning of a request: ${JSON.stringify(text.slice(0, 40))}`);
    super(text, found[3] === '0');
    this.method = found[1] ?? '';
    this.path = found[2] ?? '';
  }
}
