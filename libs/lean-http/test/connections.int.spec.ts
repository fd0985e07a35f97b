import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createRawServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpConnections, HttpSyntaxError } from '../src/index';

const servers: Server[] = [];
const sockets = new Set<Socket>();
const clients: HttpConnections[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

async function listen(server: Server): Promise<HttpConnections> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = new HttpConnections({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  clients.push(client);
  return client;
}

const http = (app: RequestListener): Promise<HttpConnections> => listen(createServer(app));
/** Says the same to whoever sends anything. */
const saying = (text: string): Promise<HttpConnections> =>
  listen(createRawServer((socket) => void socket.on('data', () => socket.write(text))));

const get = (client: HttpConnections, path = '/') => client.send({ method: 'GET', path }).answer;

async function eventually(what: string, is: () => boolean): Promise<void> {
  const until = performance.now() + 5_000;
  while (!is()) {
    if (performance.now() > until) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('connections', () => {
  it('are as many as requests under way, and are used again', async () => {
    const ports = new Set<number | undefined>();
    const client = await http((request, response) => {
      ports.add(request.socket.remotePort);
      setTimeout(() => response.end(request.url), 20);
    });
    const ask = () => Promise.all(['/1', '/2', '/3'].map((path) => get(client, path)));
    expect((await ask()).map(({ body }) => body)).toEqual(['/1', '/2', '/3']);
    expect(client.idle).toBe(3);
    expect((await ask()).map(({ body }) => body)).toEqual(['/1', '/2', '/3']);
    expect(ports.size).toBe(3);
  });

  it('carry bodies that are longer than one read, either way', async () => {
    const long = 'é'.repeat(200_000);
    const client = await http((request, response) => request.pipe(response));
    const { answer } = client.send({ method: 'PUT', path: '/', body: long });
    expect((await answer).body).toBe(long);
  });

  it('are not kept when the server says so', async () => {
    const client = await http((_, response) => response.setHeader('connection', 'close').end('x'));
    expect((await get(client)).body).toBe('x');
    expect(client.idle).toBe(0);
  });

  it('that the server closes while they are idle are forgotten', async () => {
    const client = await http((_, response) => response.end());
    await get(client);
    for (const socket of sockets) socket.end();
    await eventually('it is forgotten', () => client.idle === 0);
    expect((await get(client)).status).toBe(200);
  });

  it('on which the server speaks without being asked are given up', async () => {
    const client = await http((_, response) => response.end());
    await get(client);
    for (const socket of sockets) socket.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n');
    await eventually('it is given up', () => client.idle === 0);
  });

  it('end when they are closed, with what is under way', async () => {
    const client = await http((request, response) => {
      if (request.url === '/') response.end();
    });
    await get(client);
    const waiting = get(client, '/wait');
    client.close();
    await expect(waiting).rejects.toThrow('the connections were closed');
    await eventually('all are closed', () => sockets.size === 0);
  });
});

describe('a request that is cut', () => {
  it('ends at once, with the reason, and its connection', async () => {
    const client = await http(() => undefined);
    const { answer, cut } = client.send({ method: 'GET', path: '/' });
    await eventually('it is connected', () => sockets.size === 1);
    cut(new Error('took too long'));
    await expect(answer).rejects.toThrow('took too long');
    await eventually('its connection is closed', () => sockets.size === 0);
  });

  it('is not asked again over another connection', async () => {
    let asked = 0;
    const client = await http((_, response) => {
      asked += 1;
      if (asked === 1) response.end();
    });
    await get(client);
    const { answer, cut } = client.send({ method: 'GET', path: '/' });
    await eventually('it has come', () => asked === 2);
    cut(new Error('took too long'));
    await expect(answer).rejects.toThrow('took too long');
    expect(client.idle).toBe(0);
    expect(asked).toBe(2);
  });

  it('after its answer harms nothing that goes over the same connection', async () => {
    const client = await http((request, response) => void setTimeout(() => response.end(request.url), 10));
    const first = client.send({ method: 'GET', path: '/1' });
    await first.answer;
    const second = get(client, '/2');
    first.cut(new Error('late'));
    expect((await second).body).toBe('/2');
  });
});

describe('a kept connection that the server closes when it is used', () => {
  /** Answers the first request of each connection. */
  async function servesOnce(): Promise<{ client: HttpConnections; asked: string[] }> {
    const asked: string[] = [];
    const served = new WeakSet<Socket>();
    const client = await http((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (served.has(request.socket)) request.socket.resetAndDestroy();
      else response.end();
      served.add(request.socket);
    });
    await get(client, '/first');
    return { client, asked };
  }

  it.each([
    ['GET', undefined, 2],
    ['GET', false, 1],
    ['PUT', undefined, 1],
    ['POST', true, 2],
  ] as const)('%s, repeatable: %s: it is sent %i times', async (method, repeatable, times) => {
    const { client, asked } = await servesOnce();
    const { answer } = client.send({ method, path: '/second', ...(repeatable === undefined ? {} : { repeatable }) });
    if (times === 2) expect((await answer).status).toBe(200);
    else await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(asked.slice(1)).toEqual(Array(times).fill(`${method} /second`));
  });

  it('is not asked again where an answer had begun', async () => {
    const client = await http((request, response) => {
      if (request.url === '/first') return response.end();
      response.writeHead(200, { 'content-length': 10 }).write('half');
      return setTimeout(() => response.destroy(), 5);
    });
    await get(client, '/first');
    await expect(get(client, '/second')).rejects.toThrow(/before the end of an answer|ECONNRESET/);
  });
});

describe('a server that speaks no HTTP', () => {
  it('is told apart, and its connection given up', async () => {
    const client = await saying('-ERR what is it?\r\n\r\n');
    await expect(get(client)).rejects.toBeInstanceOf(HttpSyntaxError);
    await eventually('it is closed', () => sockets.size === 0);
  });

  it('is refused by the code of the system where nobody listens', async () => {
    const client = new HttpConnections({ host: '127.0.0.1', port: 1 });
    await expect(get(client)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(get(new HttpConnections({ socketPath: '/nowhere' }))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
