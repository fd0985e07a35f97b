import type { ConnectionOptions } from 'node:tls';
import { HttpConnections, addressOf } from '@ha-postgres/lean-http';
import type { Clock } from './clock';
import { messageOf } from './errors';
import { ABORTED, Unanswered, limit, type Incoming, type Outgoing } from './transport';

/**
 * What is asked again and again, for ever: blocking queries, beats, renewals. Of the processor each takes a fifth of what it takes
 * with axios, and less than half of what it takes with Node's own client (docs/adr/0005).
 */
export class LeanTransport {
  readonly #clock: Clock;
  readonly #tls: ConnectionOptions;
  /** By base URL or path of the socket: they are few. */
  readonly #servers = new Map<string, HttpConnections>();

  constructor(clock: Clock, tls: ConnectionOptions = {}) {
    this.#clock = clock;
    this.#tls = tls;
  }

  /** Connections that wait for their next use. */
  get idle(): number {
    return [...this.#servers.values()].reduce((sum, { idle }) => sum + idle, 0);
  }

  /** @throws Unanswered when no whole answer came, whatever the reason; RangeError if it cannot be written as HTTP. */
  async send(outgoing: Outgoing): Promise<Incoming> {
    if (outgoing.signal?.aborted === true) throw new Unanswered(ABORTED);
    const { answer, cut } = this.#serverOf(outgoing).send(outgoing);
    let why = '';
    const end = limit(this.#clock, outgoing, (reason) => {
      why = reason;
      cut(new Error(reason));
    });
    try {
      return await answer;
    } catch (error) {
      throw new Unanswered(why === '' ? messageOf(error) : why, { cause: error });
    } finally {
      end();
    }
  }

  /** Closes all connections; what is under way is unanswered. */
  close(): void {
    for (const server of this.#servers.values()) server.close();
  }

  #serverOf({ baseUrl, socketPath }: Outgoing): HttpConnections {
    const key = socketPath ?? baseUrl;
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const server = new HttpConnections(socketPath === undefined ? addressOf(baseUrl, this.#tls) : { socketPath });
    this.#servers.set(key, server);
    return server;
  }
}
