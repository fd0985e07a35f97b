import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { answerTo } from './dns-message';
import type { Zone } from './dns-zone';

/** Answers the pods' questions for names (UDP), from a zone that is replaced as pods come and go. */
export class DnsServer {
  zone: Zone = new Map();
  readonly #socket: Socket;

  private constructor() {
    this.#socket = createSocket('udp4');
    this.#socket.on('message', (message, { address, port }) => {
      const answer = answerTo(message, this.zone);
      // Who asked may be gone.
      if (answer !== null) this.#socket.send(answer, port, address, () => undefined);
    });
  }

  /** @throws Error if nobody may listen there */
  static async start(address: string, port = 53): Promise<DnsServer> {
    const server = new DnsServer();
    server.#socket.bind(port, address);
    await once(server.#socket, 'listening');
    return server;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
