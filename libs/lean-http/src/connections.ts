import type { HttpAnswer } from './answer-parser';
import { Connection, type Asker } from './connection';
import { requestText, type HttpRequest } from './request-text';
import { hostHeader, type ServerAddress } from './server-address';

export interface HttpConnectionsOptions {
  /** A longer body is refused; default 64 MiB. */
  readonly bodyBytesMax?: number;
}

/** A request under way. */
export interface HttpExchange {
  /** Rejects with what cut it short, what the socket said, or HttpSyntaxError. */
  readonly answer: Promise<HttpAnswer>;
  /** Ends it with `why`, and its connection: what comes later could not be told from the next answer. Nothing if it is over. */
  readonly cut: (why: Error) => void;
}

const BODY_BYTES_MAX = 64 * 1_048_576;
const CLOSED = new Error('the connections were closed');

/**
 * Connections to one server, each kept for the next request when its answer has come whole. There are as many as requests under way
 * at once. It sets no time limit of its own: whoever asks cuts what takes too long.
 */
export class HttpConnections {
  readonly #address: ServerAddress;
  readonly #host: string;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #owner;

  constructor(address: ServerAddress, { bodyBytesMax = BODY_BYTES_MAX }: HttpConnectionsOptions = {}) {
    this.#address = address;
    this.#host = hostHeader(address);
    this.#owner = {
      bodyBytesMax,
      onIdle: (connection: Connection) => void this.#idle.push(connection),
      onClosed: (connection: Connection) => this.#forget(connection),
    };
  }

  /** Connections that wait for their next use. */
  get idle(): number {
    return this.#idle.length;
  }

  /**
   * Over the connection that was used last: the others have been idle for longer, and the server may be about to close them.
   * @throws RangeError if the request cannot be written as HTTP.
   */
  send(request: HttpRequest): HttpExchange {
    const text = requestText(request, this.#host);
    const kept = this.#idle.pop();
    let isRepeatable = kept !== undefined && (request.repeatable ?? request.method === 'GET');
    let carrier: Connection | null = null;
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      const asker: Asker = {
        onAnswer: (whole) => {
          carrier = null;
          resolve(whole);
        },
        onFailure: (error, mayRepeat) => {
          carrier = isRepeatable && mayRepeat ? this.#open() : null;
          isRepeatable = false;
          if (carrier === null) reject(error);
          else carrier.ask(text, asker);
        },
      };
      carrier = kept ?? this.#open();
      carrier.ask(text, asker);
    });
    return { answer, cut: (why) => carrier?.destroy(why) };
  }

  /** Ends all connections, and with them what is under way. */
  close(): void {
    for (const connection of [...this.#all]) connection.destroy(CLOSED);
  }

  #open(): Connection {
    const connection = new Connection(this.#address, this.#owner);
    this.#all.add(connection);
    return connection;
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
