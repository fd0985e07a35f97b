import { ChunkedBody } from './chunked-body';
import { sizedBody, type BodyText, type MessageBody } from './message-body';
import { MessageParser } from './message-parser';
import { QuestionHead } from './question-head';

/** Reads one request. */
export class QuestionParser extends MessageParser<QuestionHead> {
  protected headOf(text: string): QuestionHead {
    return new QuestionHead(text);
  }

  protected bodyOf(head: QuestionHead, text: BodyText): MessageBody {
    return head.isChunked ? new ChunkedBody(text) : sizedBody(text, head.contentLength ?? 0);
  }
}
