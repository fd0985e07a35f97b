import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands in for a load balancer: leads each connection to one port of this machine, and can be turned to another. */
export class Switch {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {
    server.on('connection', (socket) => this.lead(socket));
  }

  static async to(target: number): Promise<Switch> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Switch(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** New connections lead there from now on; those that are there are closed. */
  turn(target: number): void {
    this.target = target;
    this.dropAll();
  }

  close(): void {
    this.server.close();
    this.dropAll();
  }

  private dropAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private lead(socket: Socket): void {
    const onward = connect(this.target, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
