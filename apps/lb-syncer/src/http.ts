import type { RequestListener, ServerResponse } from 'node:http';
import { jsonError } from '@ha-postgres/service-kit';
import type { ContactState } from './contact';

export interface Health {
  readonly consul: ContactState;
  readonly haproxy: ContactState;
  /** HAProxy has been given routes by all that Consul tells, at least once since this process began. */
  readonly hasRouted: boolean;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Route = () => Answer | Promise<Answer>;

const json = (status: number, value: object): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

/** Whether clients may be sent to this load balancer: a Consul that is silent afterwards takes none out, for routes stay. */
function readyAnswer({ haproxy, hasRouted }: Health): Answer {
  const ready = hasRouted && haproxy.ok;
  return json(ready ? 200 : 503, { ready, hasRouted, haproxy });
}

function healthAnswer({ consul, haproxy }: Health): Answer {
  const ok = consul.ok && haproxy.ok;
  return json(ok ? 200 : 503, { ok, consul, haproxy });
}

async function metricsAnswer(metricsText: () => Promise<string>): Promise<Answer> {
  return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await metricsText() };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

async function answer(routes: ReadonlyMap<string, Route>, path: string, method: string): Promise<Answer> {
  const route = routes.get(path);
  if (route === undefined) return json(404, jsonError('NOT_FOUND', `nothing at ${path}`));
  if (method !== 'GET' && method !== 'HEAD') {
    return json(405, jsonError('METHOD_NOT_ALLOWED', `${method} is not for ${path}`));
  }
  try {
    return await route();
  } catch (error) {
    return json(500, jsonError('INTERNAL', error instanceof Error ? error.message : String(error)));
  }
}

/**
 * `GET /healthz` (200, or 503 with which contact is lost and for how long), `GET /readyz` and `GET /metrics`. Three fixed answers need no
 * framework: Express would be a tenth of this process's memory.
 */
export function httpListener(health: () => Health, metricsText: () => Promise<string>): RequestListener {
  const routes = new Map<string, Route>([
    ['/healthz', () => healthAnswer(health())],
    ['/readyz', () => readyAnswer(health())],
    ['/metrics', () => metricsAnswer(metricsText)],
  ]);
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    void answer(routes, path, request.method ?? '').then((answered) => {
      if (answered.status === 405) response.setHeader('Allow', 'GET, HEAD');
      send(response, answered);
    });
  };
}
