import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent as HttpAgent, createServer, type RequestListener, type Server } from 'node:http';
import { Agent as HttpsAgent, createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { axiosTransport } from '../src/axios-transport';
import { systemClock } from '../src/clock';
import { ConsulHttp } from '../src/http';
import { ConsulError, NoAnswerError } from '../src/index';
import { LeanTransport } from '../src/lean-transport';
import type { ConsulSettings } from '../src/settings';
import { Unanswered, type Agents, type Outgoing, type Transport } from '../src/transport';
import { eventually } from './consul-server';

const dir = mkdtempSync(join(tmpdir(), 'transport-'));
const servers: Server[] = [];
const sockets = new Set<Socket>();

function track(server: Server): Server {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  servers.push(server);
  return server;
}

async function listen(app: RequestListener): Promise<string> {
  const server = track(createServer(app)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Says what it was asked, as Consul would a value. */
const echo: RequestListener = (request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString()));
  request.on('end', () => {
    response.setHeader('X-Consul-Index', '7');
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });
};

const agents: Agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
const lean = new LeanTransport(systemClock);
const send: Transport = (outgoing) => lean.send(outgoing);
const idleOfAgents = (): number => Object.keys(agents.http.freeSockets).length;

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Both ways to send a request must be the same to whoever sends one. */
describe.each([
  { by: 'axios', transport: axiosTransport(agents, systemClock), idle: idleOfAgents },
  { by: 'lean-http', transport: send, idle: () => lean.idle },
])('a request by $by', ({ transport, idle }) => {
  const ask = (baseUrl: string, change: Partial<Outgoing> = {}) =>
    transport({ method: 'GET', baseUrl, path: '/v1/x', headers: {}, timeoutMs: 5000, ...change });

  it('brings method, path, headers and body there, and status, body and headers back', async () => {
    const baseUrl = await listen((request, response) => {
      response.statusCode = 409;
      echo(request, response);
    });
    const answer = await ask(baseUrl, { method: 'PUT', path: '/v1/a%20b?x=%2F', headers: { 'X-T': 't' }, body: 'é' });
    expect(answer.status).toBe(409);
    expect(answer.header('x-consul-index')).toBe('7');
    expect(answer.header('x-other')).toBeUndefined();
    expect(JSON.parse(answer.body)).toMatchObject({
      method: 'PUT',
      url: '/v1/a%20b?x=%2F',
      headers: { 'x-t': 't', 'content-length': '2' },
      body: 'é',
    });
  });

  it('reads an answer that comes in pieces, cut within a character', async () => {
    const text = Buffer.from('"é€"');
    const baseUrl = await listen((_request, response) => {
      response.write(text.subarray(0, 2));
      setTimeout(() => response.end(text.subarray(2)), 20);
    });
    expect((await ask(baseUrl)).body).toBe('"é€"');
  });

  it('keeps the connection, and takes another when the server has closed it', async () => {
    const ports: (number | undefined)[] = [];
    const baseUrl = await listen((request, response) => {
      ports.push(request.socket.remotePort);
      echo(request, response);
    });
    await ask(baseUrl);
    await ask(baseUrl);
    for (const socket of sockets) socket.destroy();
    await eventually('the connections are gone', () => sockets.size === 0);
    await eventually('the client has seen it', () => idle() === 0);
    await ask(baseUrl);
    expect(ports[1]).toBe(ports[0]);
    expect(ports[2]).not.toBe(ports[0]);
  });

  it('goes over a unix socket', async () => {
    const path = join(dir, 'consul.sock');
    await once(track(createServer(echo)).listen(path), 'listening');
    expect((await ask('http://localhost', { socketPath: path })).status).toBe(200);
  });

  it('ends when its time is over, though bytes trickle in', async () => {
    const baseUrl = await listen((_request, response) => {
      const trickle = setInterval(() => response.write('.'), 5);
      response.on('close', () => clearInterval(trickle));
    });
    await expect(ask(baseUrl, { timeoutMs: 40 })).rejects.toThrow('nothing within 40 ms');
    await eventually('its connection is closed', () => sockets.size === 0);
  });

  it('ends when the caller aborts, before it is sent as well', async () => {
    const baseUrl = await listen(() => undefined);
    const abort = new AbortController();
    const asked = ask(baseUrl, { signal: abort.signal });
    await eventually('it has arrived', () => sockets.size > 0);
    abort.abort();
    await expect(asked).rejects.toThrow('aborted by the caller');
    await expect(ask(baseUrl, { signal: abort.signal })).rejects.toThrow('aborted by the caller');
  });

  it('leaves nothing on the signal of a caller who asks for ever', async () => {
    const baseUrl = await listen(echo);
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');
    await ask(baseUrl, { signal });
    expect(added).toHaveBeenCalled();
    expect(removed.mock.calls).toEqual(added.mock.calls.map(([name, listener]) => [name, listener]));
  });

  it.each(['GET', 'PUT'] as const)('that was %s is unanswered when the answer breaks off', async (method) => {
    const baseUrl = await listen((_request, response) => {
      response.setHeader('content-length', '100');
      response.write('half');
      setTimeout(() => response.destroy(), 10);
    });
    await expect(ask(baseUrl, { method })).rejects.toBeInstanceOf(Unanswered);
  });

  it('is unanswered where nobody listens', async () => {
    await expect(ask('http://127.0.0.1:1')).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('a kept connection that Consul closes at the moment when it is used', () => {
  /** Answers the first request of a connection, and resets the connection at the second. */
  async function resetting(): Promise<{ baseUrl: string; asked: () => number }> {
    let asked = 0;
    const served = new WeakSet<Socket>();
    const baseUrl = await listen((request, response) => {
      asked += 1;
      if (served.has(request.socket)) request.socket.resetAndDestroy();
      else echo(request, response);
      served.add(request.socket);
    });
    return { baseUrl, asked: () => asked };
  }
  const outgoing = { path: '/', headers: {}, timeoutMs: 5000 } as const;

  it('costs a read nothing: it is asked again', async () => {
    const { baseUrl, asked } = await resetting();
    await send({ ...outgoing, method: 'GET', baseUrl });
    expect((await send({ ...outgoing, method: 'GET', baseUrl })).status).toBe(200);
    expect(asked()).toBe(3);
  });

  it('leaves the outcome of a write unknown: it is not sent twice', async () => {
    const { baseUrl, asked } = await resetting();
    await send({ ...outgoing, method: 'PUT', baseUrl });
    await expect(send({ ...outgoing, method: 'PUT', baseUrl })).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect(asked()).toBe(2);
  });
});

describe.each([
  ['asked now and then', false],
  ['asked for ever', true],
])('what is %s', (_, often) => {
  const settings = (change: Partial<ConsulSettings> & { address: string }): ConsulSettings => ({
    requestTimeoutMs: 5000,
    ...change,
  });
  const over = (given: ConsulSettings) => new ConsulHttp(given, systemClock);

  it('carries token, namespace, datacenter and query, and no value that is undefined', async () => {
    const address = await listen(echo);
    const http = over(settings({ address, token: 'secret', namespace: 'team', datacenter: 'dc 1' }));
    const { body } = await http.request({
      method: 'GET',
      path: '/v1/kv/k',
      query: { recurse: '', index: 5, cas: undefined },
      often,
    });
    expect(JSON.parse(body)).toMatchObject({
      url: '/v1/kv/k?dc=dc%201&recurse=&index=5',
      headers: { 'x-consul-token': 'secret', 'x-consul-namespace': 'team' },
    });
    http.close();
  });

  it('goes to a server’s address when told to', async () => {
    const address = await listen(() => undefined);
    const server = await listen(echo);
    const http = over(settings({ address }));
    expect((await http.request({ method: 'GET', path: '/', via: server, often })).status).toBe(200);
    http.close();
  });

  it('is unknown when a write is answered with 5xx, and refused when a read is', async () => {
    const address = await listen((_request, response) => {
      response.statusCode = 500;
      response.end('leadership lost while committing log');
    });
    const http = over(settings({ address }));
    await expect(http.request({ method: 'PUT', path: '/', body: '', often })).rejects.toBeInstanceOf(NoAnswerError);
    await expect(http.request({ method: 'GET', path: '/', often })).rejects.toBeInstanceOf(ConsulError);
    http.close();
  });

  it('counts from before it was sent to after the answer came', async () => {
    let arrivedAt = 0;
    const address = await listen((_request, response) => {
      arrivedAt = systemClock.now();
      response.end();
    });
    const http = over(settings({ address }));
    const { sentAt, receivedAt } = await http.request({ method: 'GET', path: '/', often });
    expect(sentAt).toBeLessThan(arrivedAt);
    expect(receivedAt).toBeGreaterThan(arrivedAt);
    http.close();
  });

  describe('over TLS', () => {
    const certificate = join(dir, 'cert.pem');
    const key = join(dir, 'key.pem');
    const pem = () => readFileSync(certificate, 'utf8');
    let address: string;

    beforeAll(() => {
      const subject = ['-subj', '/CN=server.dc1.consul', '-addext', 'subjectAltName=DNS:server.dc1.consul'];
      const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
      execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    });

    const listenSecure = async (): Promise<void> => {
      const server = track(
        createTlsServer(
          { cert: pem(), key: readFileSync(key), ca: pem(), requestCert: true, rejectUnauthorized: true },
          echo,
        ),
      ).listen(0, '127.0.0.1');
      await once(server, 'listening');
      address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    };

    it('shows its certificate and checks the server’s, by the name it was told', async () => {
      await listenSecure();
      const tls = { ca: pem(), cert: pem(), key: readFileSync(key, 'utf8'), serverName: 'server.dc1.consul' };
      const http = over(settings({ address, tls }));
      expect((await http.request({ method: 'GET', path: '/', often })).status).toBe(200);
      http.close();
    });

    it('gets no answer from a server that nobody it trusts vouches for', async () => {
      await listenSecure();
      const http = over(settings({ address, tls: { serverName: 'server.dc1.consul' } }));
      await expect(http.request({ method: 'GET', path: '/', often })).rejects.toThrow(/self-signed/);
      http.close();
    });
  });
});
