import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HaproxyRuntime } from './client';
import { action, query, type Command } from './command';
import { RuntimeError } from './errors';

// A server that plays HAProxy, to answer in ways that a real one cannot be asked for.
let server: Server | undefined;
const sockets = new Set<Socket>();

async function playing(answer: (socket: Socket, received: string) => void): Promise<{ host: string; port: number }> {
  const listening = createServer((socket) => {
    let received = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => answer(socket, (received += bytes.toString())));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (listening.address() as AddressInfo).port };
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

const failure = async (promise: Promise<unknown>): Promise<RuntimeError> => {
  const outcome = await promise.then(
    () => 'success',
    (error: unknown) => error,
  );
  if (!(outcome instanceof RuntimeError)) throw new Error(`expected a RuntimeError, not ${String(outcome)}`);
  return outcome;
};

const READY = '\n> \n> ';
const commands: readonly Command[] = [action('one'), action('two'), action('three')];

describe('a conversation', () => {
  it('sends everything at once on one connection and ties the answers in order', async () => {
    let sent = '';
    const address = await playing((socket, received) => {
      sent = received;
      if (received.endsWith('quit\n')) socket.end(`${READY}\n> [3]: No such server.\n\n> \n> `);
    });
    const replies = await new HaproxyRuntime(address).batch(commands);
    expect(sent).toBe('prompt\nset severity-output number\none\ntwo\nthree\nquit\n');
    expect(replies.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(replies.map(({ command }) => command)).toEqual(commands);
    expect(sockets.size).toBe(1);
  });

  it('opens no connection for no commands', async () => {
    expect(await new HaproxyRuntime({ path: '/nonexistent' }).batch([])).toEqual([]);
  });

  it('connects to nobody when one command must not be sent', async () => {
    const address = await playing(() => undefined);
    const error = await failure(new HaproxyRuntime(address).batch([action('one'), action('two;three')]));
    expect(error).toMatchObject({
      code: 'HAPROXY_ARGUMENT',
      message: expect.stringContaining('"two;three"') as unknown,
    });
    expect(sockets.size).toBe(0);
  });

  it('tells which commands were answered before HAProxy closed', async () => {
    const address = await playing((socket) => socket.end(`${READY}\n> [3]: No such server.\n\n> half an ans`));
    const error = await failure(new HaproxyRuntime(address).batch(commands));
    expect(error.code).toBe('HAPROXY_CLOSED');
    expect(error.replies?.map(({ ok, command }) => [command.line, ok])).toEqual([
      ['one', true],
      ['two', false],
    ]);
  });

  it('tells of a connection that was reset', async () => {
    const address = await playing((socket) => socket.resetAndDestroy());
    expect(await failure(new HaproxyRuntime(address).batch(commands))).toMatchObject({
      code: 'HAPROXY_CLOSED',
      replies: [],
    });
  });

  it('ends at its time limit although the server is silent', async () => {
    const address = await playing((socket) => socket.write(`${READY}\n> `));
    const error = await failure(new HaproxyRuntime(address, { timeoutMs: 50 }).batch(commands));
    expect(error).toMatchObject({
      code: 'HAPROXY_TIMEOUT',
      message: expect.stringContaining('3 of 5 replies') as unknown,
    });
    expect(error.replies).toHaveLength(1);
  });

  it('ends when its signal fires, with the reason as cause', async () => {
    const abort = new AbortController();
    const reason = new Error('changed my mind');
    const address = await playing(() => abort.abort(reason));
    const error = await failure(new HaproxyRuntime(address).batch(commands, { signal: abort.signal }));
    expect(error).toMatchObject({ code: 'HAPROXY_ABORTED', cause: reason });
  });

  it('does not begin when its signal has fired before', async () => {
    const address = await playing(() => undefined);
    const error = await failure(new HaproxyRuntime(address).batch(commands, { signal: AbortSignal.abort() }));
    expect(error.code).toBe('HAPROXY_ABORTED');
  });

  it('says that nobody listens, and where', async () => {
    const error = await failure(new HaproxyRuntime({ path: '/nonexistent/admin.sock' }).batch(commands));
    expect(error).toMatchObject({ code: 'HAPROXY_UNREACHABLE' });
    expect(error.message).toContain('/nonexistent/admin.sock');
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
  });

  it('refuses to read answers when the switch to interactive mode was answered otherwise', async () => {
    const address = await playing((socket) => socket.write('[6]: Unknown command\n> \n> \n> \n> \n> '));
    const error = await failure(new HaproxyRuntime(address).batch(commands));
    expect(error.code).toBe('HAPROXY_UNREADABLE');
  });

  it('runs a query and executes a command', async () => {
    const address = await playing((socket) => socket.write(`${READY}41\n\n> `));
    const haproxy = new HaproxyRuntime(address);
    expect(await haproxy.run(query('count', (text) => Number(text) + 1))).toBe(42);
    expect(await failure(haproxy.execute(action('count')))).toMatchObject({ code: 'HAPROXY_REFUSED', text: '41' });
    expect(await haproxy.execute(action('count', /^41$/))).toBe('41');
  });

  it.each([{ path: '' }, { host: '', port: 1 }, { host: 'a', port: 0 }, { host: 'a', port: 70_000 }])(
    'refuses the address %j',
    (address) => {
      expect(() => new HaproxyRuntime(address)).toThrow(expect.objectContaining({ code: 'HAPROXY_ARGUMENT' }));
    },
  );

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the time limit %p', (timeoutMs) => {
    expect(() => new HaproxyRuntime({ path: '/x' }, { timeoutMs })).toThrow('timeoutMs');
  });

  it('names its target', () => {
    expect(new HaproxyRuntime({ host: '127.0.0.1', port: 9998 }).target).toBe('127.0.0.1:9998');
    expect(new HaproxyRuntime({ path: '/run/a.sock' }).target).toBe('/run/a.sock');
  });
});
