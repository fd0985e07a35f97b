import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Role } from '@ha-postgres/cluster-state';

const listening = async (server: ReturnType<typeof createServer>): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

/** Stands for a database pod: says its name to whoever connects, and answers role-server's question by `role`. */
export class LabNode {
  role: Role = 'Replica';
  readonly #sockets = new Set<Socket>();
  readonly #postgres = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.write(`${this.name}\n`);
  });
  readonly #roleServer = createHttpServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://lab').searchParams.get('role');
    response.statusCode = asked === this.role && this.role !== 'DeadMaster' ? 200 : 503;
    response.end();
  });
  port = 0;
  apiPort = 0;

  constructor(readonly name: string) {}

  async start(): Promise<this> {
    this.port = await listening(this.#postgres);
    this.apiPort = await listening(this.#roleServer);
    return this;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#roleServer.closeAllConnections();
    await Promise.all([once(this.#postgres.close(), 'close'), once(this.#roleServer.close(), 'close')]);
  }
}

/** A client's connection through HAProxy: which node it reached (null: refused or closed at once), and whether it still stands. */
export class LabConnection {
  isClosed = false;

  private constructor(
    private readonly socket: Socket,
    readonly node: string | null,
  ) {
    socket.on('close', () => (this.isClosed = true));
    if (socket.destroyed) this.isClosed = true;
  }

  static open(port: number): Promise<LabConnection> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const answered = (node: string | null): void => resolve(new LabConnection(socket, node));
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => answered(bytes.toString().trim()));
      socket.once('close', () => answered(null));
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Which node a new connection reaches. */
export async function reached(port: number): Promise<string | null> {
  const connection = await LabConnection.open(port);
  connection.close();
  return connection.node;
}
