import { MessageHead } from './message-head';
import { HttpSyntaxError } from './syntax-error';

const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/;

/** Status and headers of an answer. */
export class AnswerHead extends MessageHead {
  readonly status: number;

  /** @throws HttpSyntaxError */
  constructor(text: string) {
    const found = STATUS_LINE.exec(text);
    if (found === null)
      throw new HttpSyntaxError(`not the beginning of an answer: ${JSON.stringify(text.slice(0, 40))}`);
    super(text, found[1] === '0');
    this.status = Number(found[2]);
  }
}
