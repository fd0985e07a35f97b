import type { RunnerReport } from '@ha-postgres/cluster-state';
import { signRequest, verifyAnswer } from '@ha-postgres/service-kit';
import type { Request, Response } from 'express';
import { FakeController, SECRET, start } from '../test/fixture/fakes';
import { BOOT_ID } from '../test/fixture/sample-state';
import { errors } from './errors';
import { forwardRunnerReport } from './forwarding';

const report: RunnerReport = {
  incarnation: 'a',
  bootId: BOOT_ID,
  obeysIndex: 41,
  phase: 'running',
  armed: null,
  stopped: false,
  postgres: { pid: 7, startedAt: '1', exit: null, inRecovery: true },
  receivingFrom: 'pg0',
  data: { state: 'initialised', systemId: '1', fresh: false, timeline: 1, cleanShutdown: false, checkpointLsn: '0/1' },
  progress: null,
  error: null,
};

describe('the runner', () => {
  it.each(['10.0.0.9', '::ffff:10.127.0.0', '127.0.0.1.evil', ''])('is not somebody at %j', async (remoteAddress) => {
    const controller = new FakeController();
    const stranger = {
      socket: { remoteAddress },
      headers: { 'x-forwarded-for': '127.0.0.1' },
      body: JSON.stringify(report),
    };
    const answerless = {} as unknown as Response;
    const answer = forwardRunnerReport(controller)(stranger as unknown as Request, answerless, () => undefined);
    await expect(answer).rejects.toMatchObject({ status: 403 });
    expect(controller.asked).toEqual([]);
  });

  it('reports from the pod itself, and its report is passed on as sent', async () => {
    const { api, controller } = start();
    const answer = await api.post('/controller/runner').send(report).expect(200);
    expect(answer.body).toEqual({ ok: true });
    expect(controller.asked).toEqual([
      { method: 'POST', path: '/runner', body: JSON.stringify(report), timeoutMs: 2_000 },
    ]);
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['nothing', ''],
    ['something else', '{"phase":"dancing"}'],
  ])('that reports %s is refused', async (_, body) => {
    const { api, controller } = start();
    const answer = await api.post('/controller/runner').type('json').send(body).expect(400);
    expect(answer.body).toMatchObject({ error: { code: 'HAPG_BAD_BODY' } });
    expect(controller.asked).toEqual([]);
  });

  it('that reports too much is refused', async () => {
    const { api } = start();
    await api.post('/controller/runner').send('x'.repeat(70_000)).expect(413);
  });

  it.each([
    [504, errors.HAPG_CONTROLLER_TIMEOUT('late')],
    [503, errors.HAPG_CONTROLLER_UNREACHABLE('away')],
    [500, new Error('unforeseen')],
  ])('hears %d when db-controller does not answer', async (status, failure) => {
    const { api, controller } = start();
    controller.answer = failure;
    await api.post('/controller/runner').send(report).expect(status);
  });

  it('hears what db-controller itself refuses', async () => {
    const { api, controller } = start();
    controller.answer = { status: 409, body: '{"error":{}}' };
    await api.post('/controller/runner').send(report).expect(409, '{"error":{}}');
  });
});

describe.each([
  ['/controller/vote', '/vote', '{"term":8,"candidate":"pg2"}'],
  ['/controller/failsafe', '/failsafe', '{"term":8,"holder":"pg2"}'],
])('%s', (path, forwarded, body) => {
  it('passes a signed request on and binds the answer to its nonce', async () => {
    const { api, controller } = start();
    controller.answer = { status: 200, body: '{"granted":true}' };
    const { nonce, headers } = signRequest(SECRET, { method: 'POST', path, body });
    const answer = await api
      .post(path)
      .set({ ...headers })
      .send(body)
      .expect(200);
    expect(verifyAnswer(SECRET, nonce, answer.headers as Record<string, string>, answer.text)).toBe(true);
    expect(controller.asked).toEqual([{ method: 'POST', path: forwarded, body, timeoutMs: 2_000 }]);
  });

  it('refuses what is not signed, wrongly signed, for another path, or replayed, and passes none of it on', async () => {
    const { api, controller } = start();
    const right = signRequest(SECRET, { method: 'POST', path, body }).headers;
    const wrong = signRequest('guess', { method: 'POST', path, body }).headers;
    const other = signRequest(SECRET, { method: 'POST', path: '/controller/other', body }).headers;
    await api.post(path).send(body).expect(401);
    await api
      .post(path)
      .set({ ...wrong })
      .send(body)
      .expect(401);
    await api
      .post(path)
      .set({ ...other })
      .send(body)
      .expect(401);
    await api
      .post(path)
      .set({ ...right })
      .send(`${body} `)
      .expect(401);
    expect(controller.asked).toHaveLength(0);
    await api
      .post(path)
      .set({ ...right })
      .send(body)
      .expect(200);
    const replayed = await api
      .post(path)
      .set({ ...right })
      .send(body)
      .expect(409);
    expect(replayed.body).toMatchObject({ error: { code: 'HAPG_REPLAYED' } });
    expect(controller.asked).toHaveLength(1);
  });

  it('refuses a signed body that says something else', async () => {
    const { api } = start();
    for (const bad of ['{"term":0}', 'nonsense', '']) {
      const { headers } = signRequest(SECRET, { method: 'POST', path, body: bad });
      await api
        .post(path)
        .set({ ...headers })
        .type('json')
        .send(bad)
        .expect(400);
    }
  });
});
