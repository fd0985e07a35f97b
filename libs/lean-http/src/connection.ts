import type { Socket } from 'node:net';
import { AnswerParser, type HttpAnswer } from './answer-parser';
import { openSocket, type ServerAddress } from './server-address';

/** What becomes of a request; one of both is called, once. */
export interface Asker {
  readonly onAnswer: (answer: HttpAnswer) => void;
  /** `mayRepeat`: the connection broke by itself, and nothing of an answer had come. */
  readonly onFailure: (error: Error, mayRepeat: boolean) => void;
}

interface Owner {
  readonly bodyBytesMax: number;
  /** It may carry the next request. */
  readonly onIdle: (connection: Connection) => void;
  readonly onClosed: (connection: Connection) => void;
}

/** One connection, which carries one request at a time. */
export class Connection {
  readonly #socket: Socket;
  readonly #owner: Owner;
  #asker: Asker | null = null;
  #parser: AnswerParser | null = null;
  #mayRepeat = true;
  #error: Error | null = null;

  constructor(address: ServerAddress, owner: Owner) {
    this.#owner = owner;
    this.#socket = openSocket(address, (bytes) => this.#take(bytes))
      .on('error', (error) => (this.#error = error))
      .on('end', () => this.#ended())
      .on('close', () => this.#closed());
  }

  ask(text: string, asker: Asker): void {
    this.#asker = asker;
    this.#parser = new AnswerParser(this.#owner.bodyBytesMax);
    this.#mayRepeat = true;
    this.#socket.ref();
    this.#socket.write(text);
  }

  /** Ends it; who waits for an answer is told `why`. */
  destroy(why: Error): void {
    this.#error = why;
    this.#mayRepeat = false;
    this.#socket.destroy();
    // The events come later: who gave up must not be kept waiting.
    this.#closed();
  }

  #take(bytes: Buffer): void {
    // What nobody asked for, or does not wait for any more.
    if (this.#parser === null) {
      this.destroy(new Error('the server spoke without being asked'));
      return;
    }
    this.#mayRepeat = false;
    try {
      const answer = this.#parser.take(bytes);
      if (answer !== null) this.#done(answer, this.#parser.keepsConnection);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #done(answer: HttpAnswer, staysOpen: boolean): void {
    const asker = this.#asker;
    this.#asker = null;
    this.#parser = null;
    if (staysOpen) {
      // One that waits for its next use must not keep the process from ending.
      this.#socket.unref();
      this.#owner.onIdle(this);
    } else this.#socket.destroy();
    asker?.onAnswer(answer);
  }

  #ended(): void {
    const answer = this.#parser?.end() ?? null;
    if (answer !== null) this.#done(answer, false);
    else this.#socket.destroy();
  }

  #closed(): void {
    this.#owner.onClosed(this);
    const asker = this.#asker;
    this.#asker = null;
    this.#parser = null;
    asker?.onFailure(this.#error ?? closedEarly(), this.#mayRepeat);
  }
}

function closedEarly(): Error {
  return Object.assign(new Error('the server closed the connection before the end of an answer'), {
    code: 'ECONNRESET',
  });
}
