import {
  parseFailsafeRequest,
  parseRunnerReport,
  parseVoteRequest,
  parseWalTailRequest,
  type Parsed,
} from '@ha-postgres/cluster-state';
import { HttpServer, type HttpQuestion, type HttpReply } from '@ha-postgres/lean-http';
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
  return listenOn(socketServer(parts, answers, metrics), { path: parts.config.socket });
}

/** Six routes for one known asker: Express, which would take as much memory as all the rest, is for the pod's door. */
export function socketServer(parts: Parts, answers: Answers, metrics: Metrics): HttpServer {
  const routes = routesOf(parts, answers, metrics);
  return new HttpServer((question) =>
    answerTo(routes, question)
      .catch((error: unknown) => ({ status: 500, body: jsonError('HAPG_INTERNAL', messageOf(error)) }))
      .then(replyOf),
  );
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

async function answerTo(routes: Readonly<Record<string, Route>>, asked: HttpQuestion): Promise<Answer> {
  const [path = '/', query = ''] = asked.path.split('?', 2);
  const route = routes[`${asked.method} ${path}`];
  if (route === undefined) return { status: 404, body: jsonError('HAPG_NOT_FOUND', `no such path: ${path}`) };
  const gone = new AskerGone();
  asked.onGone(() => gone.left());
  return route({ query: new URLSearchParams(query), body: asked.body, gone });
}

function replyOf({ status, body, text }: Answer): HttpReply {
  const content = text?.content ?? (body === undefined ? '' : JSON.stringify(body));
  return { status, type: text?.type ?? 'application/json; charset=utf-8', body: content };
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
