import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { NodeAddress } from '@ha-postgres/cluster-state';
import { NONCE_HEADER, RequestVerifier, portOf, signAnswer } from '@ha-postgres/service-kit';
import { LogLines } from '../test/fixture/world';
import { Peers } from './peers';

const SECRET = 'cluster secret';
const VOTE = {
  node: 'c',
  term: 7,
  granted: true,
  why: '',
  dataTerm: 5,
  lsn: '0/1',
  replayed: true,
  candidate: true,
  failoverPriority: 0,
};

type Answer = (request: IncomingMessage, body: string, response: ServerResponse) => void;

describe('what another node is asked', () => {
  let server: Server;
  let member: NodeAddress;
  let answer: Answer;
  const log = new LogLines();
  const peers = new Peers(SECRET, log.log);

  beforeAll(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => answer(request, body, response));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    member = { node: 'c', host: '127.0.0.1', port: 5432, apiPort: portOf(server) };
  });

  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const signed =
    (value: object | string, secret = SECRET, status = 200): Answer =>
    (request, _body, response) => {
      const out = typeof value === 'string' ? value : JSON.stringify(value);
      const headers = signAnswer(secret, String(request.headers[NONCE_HEADER]), out);
      response.writeHead(status, { ...headers }).end(out);
    };
  const vote = (limitMs = 2000) => peers.vote(member, { term: 7, candidate: 'b' }, limitMs);

  it('is signed so that a member accepts it, at the path of the question', async () => {
    let verdict: unknown = null;
    answer = (request, body, response) => {
      const { method = '', url = '', headers } = request;
      verdict = new RequestVerifier(SECRET).verify({ method, path: url, body, headers });
      expect([url, JSON.parse(body)]).toEqual(['/controller/vote', { term: 7, candidate: 'b' }]);
      signed(VOTE)(request, body, response);
    };
    expect(await vote()).toEqual(VOTE);
    expect(verdict).toMatchObject({ ok: true });
  });

  it.each<[string, Answer]>([
    ['is signed with another secret', signed(VOTE, 'another')],
    ['is not signed', (_request, _body, response) => response.end(JSON.stringify(VOTE))],
    [
      'is signed for another question',
      (_request, _body, response) => {
        const out = JSON.stringify(VOTE);
        response.writeHead(200, { ...signAnswer(SECRET, '0'.repeat(32), out) }).end(out);
      },
    ],
    ['is an error, though signed', signed(VOTE, SECRET, 503)],
    ['cannot be read', signed('{"granted":')],
    ['is no vote', signed({ ...VOTE, granted: 'yes' })],
    ['is of another term', signed({ ...VOTE, term: 6 })],
    ['is of another node', signed({ ...VOTE, node: 'x' })],
    ['breaks off', (request) => request.socket.destroy()],
  ])('counts for nothing when the answer %s', async (_, given) => {
    answer = given;
    expect(await vote()).toBeNull();
  });

  it('counts for nothing when nothing comes in time, or nobody is there', async () => {
    answer = () => undefined;
    expect(await vote(50)).toBeNull();
    const nobody = new Peers(SECRET, log.log);
    expect(await nobody.vote({ ...member, apiPort: 1 }, { term: 7, candidate: 'b' }, 2000)).toBeNull();
    expect(log.of('peer.no-answer').at(-1)).toMatchObject({ peer: 'c', level: 'debug' });
  });

  it('for failsafe must be agreed to by the member itself, for that term', async () => {
    const consent = { node: 'c', term: 7, agree: true, why: '' };
    const ask = () => peers.failsafe(member, { term: 7, holder: 'b' }, 2000);
    answer = signed(consent);
    expect(await ask()).toEqual(consent);
    answer = signed({ ...consent, node: 'd' });
    expect(await ask()).toBeNull();
    answer = signed({ ...consent, term: 8 });
    expect(await ask()).toBeNull();
  });

  it('about its life is answered by 200 alone', async () => {
    answer = (_request, _body, response) => response.end();
    expect(await peers.isLive(member, 2000)).toBe(true);
    answer = (_request, _body, response) => response.writeHead(503).end();
    expect(await peers.isLive(member, 2000)).toBe(false);
    answer = () => undefined;
    expect(await peers.isLive(member, 50)).toBe(false);
  });
});
