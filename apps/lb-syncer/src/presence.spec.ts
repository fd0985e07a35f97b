import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Presence } from './presence';

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turns = 0; turns < 5000; turns += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`never happened: ${what}`);
}

describe('Presence', () => {
  let server: Server;
  let sockets: Socket[];
  let port: number;
  let ended: number;
  let presence: Presence;

  beforeEach(async () => {
    sockets = [];
    ended = 0;
    server = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    presence = new Presence({ host: '127.0.0.1', port }, () => (ended += 1));
    presence.start();
    await until('it is connected', () => sockets.length === 1);
  });
  afterEach(async () => {
    presence.stop();
    sockets.forEach((socket) => socket.destroy());
    if (server.listening) await once(server.close(), 'close');
  });

  it('says that a connection has ended, and holds the next one', async () => {
    sockets[0]?.end();
    await until('the end is told', () => ended === 1);
    await until('it is connected again', () => sockets.length === 2);
    sockets[1]?.resetAndDestroy();
    await until('the second end is told', () => ended === 2);
  });

  it('tries on while nobody listens, without saying more', async () => {
    server.close();
    sockets[0]?.destroy();
    await until('the end is told', () => ended === 1);
    server.listen(port, '127.0.0.1');
    await until('it is connected again', () => sockets.length === 2);
    expect(ended).toBe(1);
  });

  it('is silent once stopped', async () => {
    const [socket] = sockets;
    const closed = new Promise((resolve) => socket?.resume().on('close', resolve));
    presence.stop();
    await closed;
    expect([ended, sockets.length]).toEqual([0, 1]);
  });
});
