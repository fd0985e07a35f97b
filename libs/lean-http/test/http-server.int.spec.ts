import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpConnections, HttpServer, type Answering, type HttpQuestion } from '../src/index';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server, a client of ours, and what is said to it past any client. */
async function serving(answering: Answering, bodyBytesMax = 1_000) {
  const server = new HttpServer(answering, { bodyBytesMax });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new HttpConnections({ host: '127.0.0.1', port });
  ends.push(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  const raw = async (text: string): Promise<{ socket: Socket; heard: () => string; closed: Promise<unknown> }> => {
    const socket = connect({ host: '127.0.0.1', port });
    let heard = '';
    socket.setEncoding('utf8').on('data', (part: string) => (heard += part));
    const closed = once(socket, 'close');
    ends.push(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(text);
    return { socket, heard: () => heard, closed };
  };
  return { server, client, raw };
}

const echo: Answering = ({ method, path, body, header }) =>
  Promise.resolve({ status: 200, type: 'text/plain', body: `${method} ${path} ${header('x-t') ?? ''} ${body}` });

async function eventually(what: string, is: () => boolean): Promise<void> {
  const until = performance.now() + 5_000;
  while (!is()) {
    if (performance.now() > until) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a server for few', () => {
  it('hears method, path, headers and body, and answers one after the other over one connection', async () => {
    const { client } = await serving(echo);
    const ask = (body: string) => client.send({ method: 'PUT', path: '/a?b=c', headers: { 'X-T': 't' }, body }).answer;
    const first = await ask('é');
    expect(first).toMatchObject({ status: 200, body: 'PUT /a?b=c t é' });
    expect(first.header('content-type')).toBe('text/plain');
    expect((await ask('2')).body).toBe('PUT /a?b=c t 2');
    expect(client.idle).toBe(1);
  });

  it('hears what comes byte by byte, and in chunks', async () => {
    const { raw } = await serving(echo);
    const { socket, heard } = await raw('');
    const text = 'POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
    for (const byte of text) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually('it is answered', () => heard().endsWith('POST /x  abcde'));
  });

  it('is understood by others than ours', async () => {
    const { server } = await serving(echo);
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/y`, { method: 'POST', body: 'text' });
    expect(await response.text()).toBe('POST /y  text');
  });

  it('gives a 204 no body', async () => {
    const { client } = await serving(() => Promise.resolve({ status: 204, type: '', body: '' }));
    expect(await client.send({ method: 'POST', path: '/' }).answer).toMatchObject({ status: 204, body: '' });
  });

  it.each([
    ['asked to', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['that is how HTTP/1.0 is', 'GET / HTTP/1.0\r\n\r\n'],
  ])('closes the connection after its answer: %s', async (_, text) => {
    const { raw } = await serving(echo);
    const { heard, closed } = await raw(text);
    await closed;
    expect(heard()).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[^]*GET \/  $/);
  });

  it.each([
    ['what is no request', 'hello\r\n\r\n', 'not the beginning of a request'],
    ['a long body', 'POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n', 'more than 1000 bytes'],
    ['two at once', 'GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n', 'beyond the end'],
  ])('refuses %s, and closes', async (_, text, why) => {
    const { raw } = await serving(echo);
    const { heard, closed } = await raw(text);
    await closed;
    expect(heard()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(heard()).toContain(why);
  });
});

describe('an asker that goes away', () => {
  it('is told of while its question is being answered, and not afterwards', async () => {
    const questions: HttpQuestion[] = [];
    let gone = 0;
    const { raw } = await serving((question) => {
      questions.push(question);
      question.onGone(() => (gone += 1));
      return question.path === '/' ? echo(question) : new Promise(() => undefined);
    });
    const answered = await raw('GET / HTTP/1.1\r\n\r\n');
    await eventually('it is answered', () => answered.heard() !== '');
    answered.socket.destroy();
    await answered.closed;
    const waiting = await raw('GET /wait HTTP/1.1\r\n\r\n');
    await eventually('it is asked', () => questions.length === 2);
    expect(gone).toBe(0);
    waiting.socket.destroy();
    await eventually('it is known', () => gone === 1);
  });
});

describe('a server that ends', () => {
  it('closes idle connections at once, and busy ones when told to', async () => {
    const { server, client, raw } = await serving(({ path }) =>
      path === '/' ? Promise.resolve({ status: 200, type: '', body: '' }) : new Promise(() => undefined),
    );
    await client.send({ method: 'GET', path: '/' }).answer;
    const busy = await raw('GET /wait HTTP/1.1\r\n\r\n');
    const count = () => new Promise((resolve) => server.getConnections((_, open) => resolve(open)));
    const asked = client.send({ method: 'GET', path: '/wait', repeatable: false });
    const cut = expect(asked.answer).rejects.toThrow();
    await client.send({ method: 'GET', path: '/' }).answer;
    server.closeIdleConnections();
    await eventually('the idle one is closed', () => client.idle === 0);
    expect(await count()).toBe(2);
    server.closeAllConnections();
    await busy.closed;
    await cut;
    expect(await count()).toBe(0);
  });
});
