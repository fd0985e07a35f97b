import { STATUS_CODES } from 'node:http';
import { Server, type Socket } from 'node:net';
import { QuestionParser } from './question-parser';
import { HttpSyntaxError } from './syntax-error';

export interface HttpQuestion {
  readonly method: string;
  /** With the query, escaped. */
  readonly path: string;
  readonly body: string;
  /** By its name in small letters, the first if there are several; undefined if there is none. */
  readonly header: (name: string) => string | undefined;
  /** Calls `listener` if the asker goes away before it is answered. */
  readonly onGone: (listener: () => void) => void;
}

export interface HttpReply {
  readonly status: number;
  /** Content-Type. */
  readonly type: string;
  readonly body: string;
}

/** Never rejects. */
export type Answering = (question: HttpQuestion) => Promise<HttpReply>;

export interface HttpServerOptions {
  /** A longer body is refused; default 1 MiB. */
  readonly bodyBytesMax?: number;
}

const BODY_BYTES_MAX = 1_048_576;

/**
 * Answers a few known askers over connections that they keep, such as the other processes of a pod on a unix socket. It cuts off nobody who
 * is slow: it is no server for the world.
 */
export class HttpServer extends Server {
  readonly #served = new Set<Served>();

  constructor(answering: Answering, { bodyBytesMax = BODY_BYTES_MAX }: HttpServerOptions = {}) {
    super();
    this.on('connection', (socket) => {
      const served = new Served(socket, answering, bodyBytesMax);
      this.#served.add(served);
      socket.on('close', () => this.#served.delete(served));
    });
  }

  closeIdleConnections(): void {
    for (const served of this.#served) if (!served.isBusy) served.destroy();
  }

  closeAllConnections(): void {
    for (const served of this.#served) served.destroy();
  }
}

/** One connection of an asker. */
class Served {
  readonly #socket: Socket;
  readonly #answering: Answering;
  readonly #bodyBytesMax: number;
  #parser: QuestionParser;
  /** Whoever waits for the asker of the question that is being answered to go away; null: there is none. */
  #leavers: (() => void)[] | null = null;

  constructor(socket: Socket, answering: Answering, bodyBytesMax: number) {
    this.#socket = socket;
    this.#answering = answering;
    this.#bodyBytesMax = bodyBytesMax;
    this.#parser = new QuestionParser(bodyBytesMax);
    socket
      .on('data', (bytes) => this.#take(bytes))
      // The end of the connection says all there is to say.
      .on('error', () => undefined)
      .on('close', () => this.#gone());
  }

  get isBusy(): boolean {
    return this.#leavers !== null;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    try {
      if (this.isBusy) throw new HttpSyntaxError('the next request was not waited with until the answer');
      const whole = this.#parser.read(bytes);
      if (whole === null) return;
      const { head, body } = whole;
      const { method, path, keepsConnection } = head;
      const leavers: (() => void)[] = [];
      this.#leavers = leavers;
      const onGone = (listener: () => void): void => void leavers.push(listener);
      const question = { method, path, body, header: (name: string) => head.header(name), onGone };
      void this.#answering(question).then((reply) => this.#answer(reply, keepsConnection));
    } catch (error) {
      this.#socket.end(replyText({ status: 400, type: 'text/plain', body: (error as Error).message }, false));
    }
  }

  #answer(reply: HttpReply, keepsConnection: boolean): void {
    this.#leavers = null;
    this.#parser = new QuestionParser(this.#bodyBytesMax);
    if (this.#socket.destroyed) return;
    if (keepsConnection) this.#socket.write(replyText(reply, true));
    else this.#socket.end(replyText(reply, false));
  }

  #gone(): void {
    for (const leave of this.#leavers ?? []) leave();
  }
}

function replyText({ status, type, body }: HttpReply, keepsConnection: boolean): string {
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${keepsConnection ? '' : 'Connection: close\r\n'}`;
  // A 204 has no content, and so no length.
  if (status === 204) return `${head}\r\n`;
  return `${head}Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
