import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { HttpServer } from '@ha-postgres/lean-http';
import { Metrics, portOf } from '@ha-postgres/service-kit';
import request from 'supertest';
import { until } from '../../test/fixture/clock';
import { runnerReport } from '../../test/fixture/values';
import { endWorlds, world } from '../../test/fixture/world';
import type { Answers } from './answers';
import { socketServer } from './socket-server';

const servers: HttpServer[] = [];
afterEach(() => {
  endWorlds();
  for (const server of servers.splice(0)) server.close();
});

function served() {
  const w = world();
  const answers = { vote: jest.fn(), failsafe: jest.fn(), walTail: jest.fn() };
  const metrics = new Metrics({ processMetrics: false });
  const app = socketServer(w.parts, answers as unknown as Answers, metrics);
  servers.push(app);
  return { w, answers, api: request(app), app, metrics };
}

const publish = (w: ReturnType<typeof world>, index: number) =>
  w.parts.publisher.states.publish({ index, node: 'b' } as never);

describe('the state', () => {
  it('is 503 until something is decided', async () => {
    const { api } = served();
    const answer = await api.get('/state').expect(503);
    expect(answer.body).toMatchObject({ error: { code: 'HAPG_UNDECIDED' } });
  });

  it('is told at once, and to one who knows it when it changes or the wait is over', async () => {
    const { w, api } = served();
    publish(w, 5);
    expect((await api.get('/state').expect(200)).body).toEqual({ index: 5, node: 'b' });
    expect((await api.get('/state?index=5&wait=5ms').expect(200)).body).toMatchObject({ index: 5 });
    const news = api.get('/state?index=5&wait=30s').then(({ body }) => body as unknown);
    await until('it waits', () => w.parts.publisher.states.waiting === 1);
    publish(w, 6);
    expect(await news).toMatchObject({ index: 6 });
  });

  it('is told at once to one who knows a higher index: that was of another boot', async () => {
    const { w, api } = served();
    publish(w, 5);
    expect((await api.get('/state?index=900&wait=30s').expect(200)).body).toMatchObject({ index: 5 });
  });

  it('is waited for by nobody who went away', async () => {
    const { w, app } = served();
    publish(w, 5);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gone = new AbortController();
    const url = `http://127.0.0.1:${portOf(server)}/state?index=5&wait=30s`;
    const asked = fetch(url, { signal: gone.signal }).catch(() => 'gone');
    await until('it waits', () => w.parts.publisher.states.waiting === 1);
    gone.abort();
    expect(await asked).toBe('gone');
    await until('nobody waits', () => w.parts.publisher.states.waiting === 0);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it.each([
    ['index=-1', 'index'],
    ['index=1.5', 'index'],
    ['index=x', 'index'],
    ['index=1&wait=30', 'wait'],
    ['wait=soon', 'wait'],
  ])('with %s is refused, and %s named', async (query, parameter) => {
    const { w, api } = served();
    publish(w, 5);
    const answer = await api.get(`/state?${query}`).expect(400);
    expect(answer.body).toMatchObject({ error: { code: 'HAPG_BAD_REQUEST', parameter } });
  });
});

describe("the runner's report", () => {
  it('is taken, and decided upon', async () => {
    const { w, api } = served();
    await api
      .post('/runner')
      .send(runnerReport({ obeysIndex: 9 }))
      .expect(204);
    expect(w.parts.facts.runner).toMatchObject({ known: true, value: { obeysIndex: 9 } });
    expect(w.pokes).toBe(1);
  });

  it('of a new server forgets the failures of the last one, once', async () => {
    const { w, api } = served();
    for (const startedAt of ['1', '1', '2', null, '2']) {
      const pid = startedAt === null ? null : 4242;
      await api.post('/runner').send(runnerReport({ postgres: { pid, startedAt, exit: null, inRecovery: true } }));
    }
    expect(w.postgres.serversStarted).toBe(3);
  });

  it('of a running PostgreSQL shows whether its processes are seen from here', async () => {
    const { w, api } = served();
    await api.post('/runner').send(runnerReport()).expect(204);
    expect(w.parts.facts.seesPostgres).toBe(false);
    const { dataDir } = w.parts.config;
    mkdirSync(dataDir);
    const child = spawn('sleep', ['60'], { cwd: dataDir });
    try {
      await once(child, 'spawn');
      await api.post('/runner').send(runnerReport()).expect(204);
      expect(w.parts.facts.seesPostgres).toBe(true);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('what other nodes ask', () => {
  it('is answered as JSON', async () => {
    const { api, answers } = served();
    answers.vote.mockResolvedValue({ granted: true });
    answers.failsafe.mockReturnValue({ agree: false });
    expect((await api.post('/vote').send({ term: 7, candidate: 'c' }).expect(200)).body).toEqual({ granted: true });
    expect((await api.post('/failsafe').send({ term: 7, holder: 'c' }).expect(200)).body).toEqual({ agree: false });
    expect(answers.vote).toHaveBeenCalledWith({ term: 7, candidate: 'c' });
    expect(answers.failsafe).toHaveBeenCalledWith({ term: 7, holder: 'c' });
  });

  it('that cannot be decided is an error, not a consent', async () => {
    const { api, answers } = served();
    answers.vote.mockRejectedValue(new Error('no space left on device'));
    answers.failsafe.mockImplementation(() => {
      throw new Error('no space left on device');
    });
    for (const [path, body] of [
      ['/vote', { term: 7, candidate: 'c' }],
      ['/failsafe', { term: 7, holder: 'c' }],
    ] as const) {
      const answer = await api.post(path).send(body).expect(500);
      expect(answer.body).toMatchObject({ error: { code: 'HAPG_INTERNAL', message: 'no space left on device' } });
    }
  });
});

describe('any other request', () => {
  it.each([
    ['/runner', ''],
    ['/runner', '{"incarnation":'],
    ['/runner', '{}'],
    ['/runner', '\u0000\u0001'],
    ['/vote', '[]'],
    ['/vote', '{"term":0,"candidate":"c"}'],
    ['/vote', '{"term":"7","candidate":"c"}'],
    ['/failsafe', 'null'],
    ['/failsafe', '{"term":7}'],
  ])('POST %s with %j is refused, and changes nothing', async (path, body) => {
    const { w, api, answers } = served();
    const answer = await api.post(path).set('content-type', 'application/json').send(body).expect(400);
    expect(answer.body).toMatchObject({ error: { code: 'HAPG_BAD_REQUEST', parameter: 'body' } });
    expect(w.parts.facts.runner.known).toBe(false);
    expect(answers.vote).not.toHaveBeenCalled();
    expect(answers.failsafe).not.toHaveBeenCalled();
  });

  it.each([
    ['get', '/'],
    ['get', '/vote'],
    ['post', '/state'],
    ['delete', '/state'],
  ] as const)('%s %s hears 404', async (method, path) => {
    const { api } = served();
    const answer = await api[method](path).expect(404);
    expect(answer.body).toMatchObject({ error: { code: 'HAPG_NOT_FOUND' } });
  });

  it('for metrics is told them', async () => {
    const { api, metrics } = served();
    metrics.counter('hapg_test_total', 'A test').inc();
    expect((await api.get('/metrics').expect(200)).text).toContain('hapg_test_total 1');
  });
});
