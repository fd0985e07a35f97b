import { AnswerHead } from './answer-head';
import { ChunkedBody } from './chunked-body';
import { openBody, sizedBody, type BodyText, type MessageBody } from './message-body';
import { MessageParser, type Whole } from './message-parser';
import { HttpSyntaxError } from './syntax-error';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** By its name in small letters, the first if there are several; undefined if there is none. */
  readonly header: (name: string) => string | undefined;
}

/** Reads one answer. */
export class AnswerParser extends MessageParser<AnswerHead> {
  /** The answer, if these bytes make it whole. @throws HttpSyntaxError */
  take(bytes: Buffer): HttpAnswer | null {
    return answerOf(this.read(bytes));
  }

  /** The server closed the connection: the answer, if that is its end; null if something is missing. */
  end(): HttpAnswer | null {
    return answerOf(this.readEnd());
  }

  protected headOf(text: string): AnswerHead | null {
    const head = new AnswerHead(text);
    if (head.status === 101) throw new HttpSyntaxError('101: nobody asked for another protocol');
    // 100 and 103 are said before the answer.
    return head.status < 200 ? null : head;
  }

  protected bodyOf(head: AnswerHead, text: BodyText): MessageBody {
    if (head.status === 204 || head.status === 304) return sizedBody(text, 0);
    if (head.isChunked) return new ChunkedBody(text);
    return head.contentLength === null ? openBody(text) : sizedBody(text, head.contentLength);
  }
}

function answerOf(whole: Whole<AnswerHead> | null): HttpAnswer | null {
  return whole && { status: whole.head.status, body: whole.body, header: (name) => whole.head.header(name) };
}
