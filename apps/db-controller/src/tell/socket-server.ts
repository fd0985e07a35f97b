import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import {
  parseFailsafeRequest,
  parseRunnerReport,
  parseVoteRequest,
  parseWalTailRequest,
  type Parsed,
} from '@ha-postgres/cluster-state';
import {
  AskerGone,
  jsonError,
  listenOn,
  messageOf,
  parseDuration,
  type CloseServer,
  type Metrics,
} from '@ha-postgres/service-kit';
import type { Parts } from '../parts';
import type { Answers } from './answers';
import { measureNode } from './node-metrics';
import { takeReport } from './take-report';

const WAIT_MAX_MS = 60_000;

interface Question {
  readonly query: URLSearchParams;
  readonly body: string;
  readonly gone: AskerGone;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** Default: the body as JSON. */
  readonly text?: { readonly type: string; readonly content: string };
}

type Route = (question: Question) => Answer | Promise<Answer>;

/** What role-server asks, on a unix socket that only this pod sees. */
export async function listenOnSocket(parts: Parts, answers: Answers, metrics: Metrics): Promise<CloseServer> {
  return listenOn(createServer(socketApp(parts, answers, metrics)), { path: parts.config.socket });
}

/** Six routes for one known asker: Express, which would take as much memory as all the rest, is for the pod's door. */
export function socketApp(parts: Parts, answers: Answers, metrics: Metrics): RequestListener {
  const routes = routesOf(parts, answers, metrics);
  return (request, response) => {
    answerTo(routes, request, response)
      .catch((error: unknown) => ({ status: 500, body: jsonError('HAPG_INTERNAL', messageOf(error)) }))
      .then((answer) => send(response, answer))
      .catch((error: unknown) =>
        parts.log.error({ event: 'socket.send-failed', why: messageOf(error) }, 'an answer could not be sent'),
      );
  };
}

function routesOf(parts: Parts, answers: Answers, metrics: Metrics): Readonly<Record<string, Route>> {
  const { states } = parts.publisher;
  return {
    'GET /state': async ({ query, gone }) => {
      const index = Number(query.get('index') ?? 0);
      const waitMs = waitOf(query.get('wait'));
      if (!Number.isSafeInteger(index) || index < 0)
        return bad('index', `not an index: ${JSON.stringify(query.get('index'))}`);
      if (waitMs === null) return bad('wait', `not a duration: ${JSON.stringify(query.get('wait'))}`);
      const state = await states.waitBeyond(index, waitMs, gone).catch(() => states.current);
      if (state.index === 0) return { status: 503, body: jsonError('HAPG_UNDECIDED', 'nothing is decided yet') };
      return { status: 200, body: state };
    },
    'POST /runner': asked(parseRunnerReport, (report) => {
      takeReport(parts, report);
      return { status: 204 };
    }),
    'POST /vote': asked(parseVoteRequest, async (question) => ({ status: 200, body: await answers.vote(question) })),
    'POST /failsafe': asked(parseFailsafeRequest, (question) => ({ status: 200, body: answers.failsafe(question) })),
    'POST /wal-tail': asked(parseWalTailRequest, (question) => ({ status: 200, body: answers.walTail(question) })),
    'GET /metrics': async () => {
      measureNode(metrics, states.current);
      return { status: 200, text: { type: metrics.contentType, content: await metrics.text() } };
    },
  };
}

async function answerTo(
  routes: Readonly<Record<string, Route>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  const [pathname = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const route = routes[`${request.method ?? ''} ${pathname}`];
  if (route === undefined) return { status: 404, body: jsonError('HAPG_NOT_FOUND', `no such path: ${pathname}`) };
  const gone = new AskerGone(response);
  // Only role-server asks here, which limits what it passes on.
  const body = request.method === 'POST' ? await textOf(request) : '';
  return route({ query: new URLSearchParams(query), body, gone });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  await once(request, 'end');
  return Buffer.concat(parts).toString('utf8');
}

function send(response: ServerResponse, { status, body, text: plain }: Answer): void {
  const content = plain?.content ?? (body === undefined ? '' : JSON.stringify(body));
  const type = plain?.type ?? 'application/json; charset=utf-8';
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(content) }).end(content);
}

function asked<T>(parse: (input: string) => Parsed<T>, answer: (question: T) => Answer | Promise<Answer>): Route {
  return ({ body }) => {
    const parsed = parse(body);
    return parsed.ok ? answer(parsed.value) : bad('body', parsed.why);
  };
}

function waitOf(wait: string | null): number | null {
  if (wait === null) return 0;
  try {
    return Math.min(parseDuration(wait), WAIT_MAX_MS);
  } catch {
    return null;
  }
}

function bad(parameter: string, message: string): Answer {
  return { status: 400, body: jsonError('HAPG_BAD_REQUEST', message, parameter) };
}
