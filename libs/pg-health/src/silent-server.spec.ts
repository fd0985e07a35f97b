import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { AliveCheck } from './alive-check';
import type { ConnectionTarget } from './connection-target';
import { HeldConnection } from './held-connection';

/** Accepts, as the kernel does for a frozen postmaster, and says only what it is told to. */
class SilentServer {
  readonly #server: Server = createServer();
  readonly sockets: Socket[] = [];

  async start(onConnection: (socket: Socket) => void = () => undefined): Promise<ConnectionTarget> {
    this.#server.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.resume();
      onConnection(socket);
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return { host: '127.0.0.1', port, user: 'app', password: 'secret-word', database: 'postgres' };
  }

  /** Resolves when the client has let go of every socket it opened. */
  async allClosed(): Promise<void> {
    const open = this.sockets.filter((socket) => !socket.closed);
    await Promise.all(open.map((socket) => once(socket, 'close')));
  }

  async stop(): Promise<void> {
    this.sockets.forEach((socket) => socket.destroy());
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
/** AuthenticationOk and ReadyForQuery: a session is open, and then nothing. */
const WELCOME = Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]);

// Long where an answer comes (the machine may be busy), short where none ever does.
const NO_GREETING = { connectTimeoutMs: 80, queryTimeoutMs: 10_000 };
const NO_ANSWER = { connectTimeoutMs: 10_000, queryTimeoutMs: 80 };

describe('a server that accepts and says nothing', () => {
  let server: SilentServer;
  beforeEach(() => {
    server = new SilentServer();
  });
  afterEach(() => server.stop());

  it('is hung, and no socket is left', async () => {
    const target = await server.start();
    const result = await new AliveCheck(target, NO_GREETING).run();
    expect(result).toMatchObject({ alive: false, failure: 'hung' });
    await server.allClosed();
    expect(server.sockets).toHaveLength(1);
  });

  it('is hung also when it falls silent after the greeting', async () => {
    const target = await server.start((socket) => socket.write(WELCOME));
    const result = await new AliveCheck(target, NO_ANSWER).run();
    expect(result).toMatchObject({
      alive: false,
      failure: 'hung',
      message: expect.stringContaining('query') as string,
    });
    await server.allClosed();
  });

  it('is named in the message without its password', async () => {
    const target = await server.start();
    const result = await new AliveCheck(target, NO_GREETING).run();
    const text = JSON.stringify(result);
    expect(text).toContain(`app@127.0.0.1:${target.port}/postgres`);
    expect(text).not.toContain('secret-word');
  });

  it('lets a check be aborted, which is no verdict', async () => {
    const target = await server.start();
    const abort = new AbortController();
    const check = new AliveCheck(target, { connectTimeoutMs: 60_000, queryTimeoutMs: 60_000 }).run(abort.signal);
    abort.abort(new Error('not needed any more'));
    await expect(check).rejects.toThrow('not needed any more');
    await server.allClosed();
  });

  it('costs a held connection: the query ends as hung, and its owner hears of the loss once', async () => {
    const target = await server.start((socket) => socket.write(WELCOME));
    const losses: string[] = [];
    const held = new HeldConnection(target, { ...NO_ANSWER, onLost: ({ kind }) => losses.push(kind) });
    await held.open();
    const first = held.query('SELECT 1');
    const second = held.query('SELECT 2');
    await expect(first).rejects.toMatchObject({ kind: 'hung' });
    await expect(second).rejects.toMatchObject({ kind: 'lost' });
    expect(held.isOpen).toBe(false);
    await server.allClosed();
    expect(losses).toEqual(['hung']);
    await held.close();
  });

  it('does not hold up the close of a held connection, nor of one that is being opened', async () => {
    let welcome = true;
    const target = await server.start((socket) => welcome && socket.write(WELCOME));
    const onLost = jest.fn();
    const held = new HeldConnection(target, { connectTimeoutMs: 60_000, queryTimeoutMs: 60_000, onLost });
    await held.open();
    await held.close();
    welcome = false;
    const opening = held.open();
    const refused = expect(opening).rejects.toMatchObject({ kind: 'lost' });
    await held.close();
    await refused;
    await server.allClosed();
    expect(onLost).not.toHaveBeenCalled();
  });

  it('is lost at once for an idle held connection when it hangs up, and can be opened again', async () => {
    const target = await server.start((socket) => socket.write(WELCOME));
    let tell: (kind: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => (tell = resolve));
    const held = new HeldConnection(target, { ...NO_ANSWER, onLost: ({ kind }) => tell(kind) });
    await held.open();
    server.sockets[0]?.destroy();
    await expect(lost).resolves.toBe('lost');
    await expect(held.query('SELECT 1')).rejects.toMatchObject({ kind: 'lost' });
    await held.open();
    expect(held.isOpen).toBe(true);
    await held.close();
  });
});

it('nobody listening is refused', async () => {
  const server = new SilentServer();
  const target = await server.start();
  await server.stop();
  await expect(new AliveCheck(target, NO_GREETING).run()).resolves.toMatchObject({ alive: false, failure: 'refused' });
  const socketPath = { ...target, host: '/nonexistent' };
  await expect(new AliveCheck(socketPath, NO_GREETING).run()).resolves.toMatchObject({
    alive: false,
    failure: 'refused',
  });
});

describe('a server that asks for the password', () => {
  it('and lets in without having shown that it knows it too is not believed', async () => {
    const server = new SilentServer();
    const asks = message('R', Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.from('SCRAM-SHA-256\0\0')]));
    const target = await server.start((socket) => {
      let heard = '';
      socket.write(asks);
      socket.on('data', (bytes: Buffer) => {
        heard += bytes.toString('latin1');
        const nonce = /r=([0-9a-f-]{36})$/.exec(heard)?.[1];
        if (nonce === undefined) return;
        heard = '';
        const first = `r=${nonce}X,s=c2FsdA==,i=4096`;
        socket.write(message('R', Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from(first)])));
        setTimeout(() => socket.write(WELCOME), 20);
      });
    });
    const result = await new AliveCheck(target, { connectTimeoutMs: 10_000, queryTimeoutMs: 10_000 }).run();
    expect(result).toMatchObject({
      alive: false,
      failure: 'authentication',
      message: expect.stringContaining('has not shown that it knows the password') as string,
    });
    await server.allClosed();
    await server.stop();
  });
});
