import request from 'supertest';
import { Contact } from './contact';
import { httpListener } from './http';

function appAt(now: { ms: number }) {
  const consul = new Contact(30_000, () => now.ms);
  const haproxy = new Contact(5_000, () => now.ms);
  const routing = { hasRouted: false };
  const health = () => ({ consul: consul.state(), haproxy: haproxy.state(), ...routing });
  return { consul, haproxy, routing, app: httpListener(health, () => Promise.resolve('some_metric 1\n')) };
}

describe('GET /healthz', () => {
  it('answers 200 while both have answered lately', async () => {
    const { app } = appAt({ ms: 0 });
    const response = await request(app).get('/healthz');
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({ ok: true, consul: { ok: true }, haproxy: { ok: true } });
  });

  it('answers 503 with which one is silent, for how long and why, and 200 again when it answers', async () => {
    const now = { ms: 0 };
    const { app, haproxy } = appAt(now);
    haproxy.failed('connection refused');
    now.ms = 5_001;
    const response = await request(app).get('/healthz');
    expect(response.status).toBe(503);
    expect(response.body).toEqual({
      ok: false,
      consul: { ok: true, silentForMs: 5_001, limitMs: 30_000, lastError: null },
      haproxy: { ok: false, silentForMs: 5_001, limitMs: 5_000, lastError: 'connection refused' },
    });
    haproxy.answered();
    expect((await request(app).get('/healthz')).status).toBe(200);
  });

  it('counts the silence of Consul from its oldest unanswered query', async () => {
    const now = { ms: 40_000 };
    const { app, consul } = appAt(now);
    consul.answered(9_000);
    expect((await request(app).get('/healthz')).status).toBe(503);
  });
});

describe('GET /readyz', () => {
  it('answers 503 until HAProxy has its routes, and then 200 however long Consul is silent', async () => {
    const now = { ms: 0 };
    const { app, haproxy, routing } = appAt(now);
    expect((await request(app).get('/readyz')).status).toBe(503);
    routing.hasRouted = true;
    now.ms = 1_000_000;
    haproxy.answered();
    const response = await request(app).get('/readyz');
    expect([response.status, response.body]).toEqual([200, expect.objectContaining({ ready: true })]);
    expect((await request(app).get('/healthz')).status).toBe(503);
  });

  it('answers 503 while HAProxy is silent', async () => {
    const now = { ms: 0 };
    const { app, routing } = appAt(now);
    routing.hasRouted = true;
    now.ms = 5_001;
    expect((await request(app).get('/readyz')).body).toMatchObject({ ready: false, haproxy: { ok: false } });
  });
});

describe('other requests', () => {
  const { app } = appAt({ ms: 0 });

  it('answers metrics as text', async () => {
    const response = await request(app).get('/metrics');
    expect([response.status, response.text]).toEqual([200, 'some_metric 1\n']);
    expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('answers 404 for unknown paths and 405 for wrong methods, both as JSON', async () => {
    const unknown = await request(app).get('/nothing');
    expect(unknown.status).toBe(404);
    expect(unknown.body).toMatchObject({ error: { code: 'NOT_FOUND' } });
    const wrong = await request(app).post('/healthz');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});
