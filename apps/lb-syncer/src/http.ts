import express, { type Express } from 'express';
import { jsonError } from '@ha-postgres/service-kit';
import type { ContactState } from './contact';

export interface Health {
  readonly consul: ContactState;
  readonly haproxy: ContactState;
}

/** `GET /healthz` (200, or 503 with which contact is lost and for how long) and `GET /metrics`. */
export function httpApp(health: () => Health, metricsText: () => Promise<string>): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_request, response) => {
    const now = health();
    const ok = now.consul.ok && now.haproxy.ok;
    response.status(ok ? 200 : 503).json({ ok, ...now });
  });
  app.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(await metricsText());
  });
  app.all(['/healthz', '/metrics'], (request, response) => {
    response.set('Allow', 'GET, HEAD');
    response.status(405).json(jsonError('METHOD_NOT_ALLOWED', `${request.method} is not for ${request.path}`));
  });
  app.use((request, response) => {
    response.status(404).json(jsonError('NOT_FOUND', `nothing at ${request.path}`));
  });
  return app;
}
