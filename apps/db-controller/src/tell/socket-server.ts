import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import express, { type Express, type Request, type Response } from 'express';
import {
  parseFailsafeRequest,
  parseRunnerReport,
  parseVoteRequest,
  parseWalTailRequest,
  type Parsed,
  type RunnerReport,
} from '@ha-postgres/cluster-state';
import {
  jsonError,
  listenOn,
  messageOf,
  monotonicNow,
  parseDuration,
  processesIn,
  type CloseServer,
  type Metrics,
} from '@ha-postgres/service-kit';
import type { Parts } from '../parts';
import type { Answers } from './answers';

const WAIT_MAX_MS = 60_000;

/** What role-server asks, on a unix socket that only this pod sees. */
export async function listenOnSocket(parts: Parts, answers: Answers, metrics: Metrics): Promise<CloseServer> {
  return listenOn(createServer(socketApp(parts, answers, metrics)), { path: parts.config.socket });
}

export function socketApp(parts: Parts, answers: Answers, metrics: Metrics): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(async (request, _response, next) => {
    // Only role-server asks here, which limits what it passes on. (Express' reader would load every character set.)
    if (request.method === 'POST') request.body = await text(request);
    next();
  });

  app.get('/state', async (request, response) => {
    const index = Number(request.query.index ?? 0);
    const waitMs = waitOf(request);
    if (!Number.isSafeInteger(index) || index < 0) {
      bad(response, 'index', `not an index: ${JSON.stringify(request.query.index)}`);
      return;
    }
    if (waitMs === null) {
      bad(response, 'wait', `not a duration: ${JSON.stringify(request.query.wait)}`);
      return;
    }
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const state = await parts.publisher.states.waitBeyond(index, waitMs, gone.signal).catch(() => null);
    if (state === null) return;
    if (state.index === 0) response.status(503).json(jsonError('HAPG_UNDECIDED', 'nothing is decided yet'));
    else response.json(state);
  });

  app.post('/runner', (request, response) => {
    const report = read(request, response, parseRunnerReport);
    if (report === null) return;
    takeReport(parts, report);
    response.status(204).end();
  });

  app.post('/vote', async (request, response) => {
    const question = read(request, response, parseVoteRequest);
    if (question !== null) response.json(await answers.vote(question));
  });

  app.post('/failsafe', (request, response) => {
    const question = read(request, response, parseFailsafeRequest);
    if (question !== null) response.json(answers.failsafe(question));
  });

  app.post('/wal-tail', (request, response) => {
    const question = read(request, response, parseWalTailRequest);
    if (question !== null) response.json(answers.walTail(question));
  });

  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });

  app.use((_request, response) => {
    response.status(404).json(jsonError('HAPG_NOT_FOUND', 'no such path'));
  });
  app.use((error: unknown, _request: Request, response: Response, _next: unknown) => {
    response.status(500).json(jsonError('HAPG_INTERNAL', messageOf(error)));
  });
  return app;
}

function takeReport({ facts, postgres, config, poke }: Parts, report: RunnerReport): void {
  const before = facts.runner.known ? facts.runner.value.postgres.startedAt : null;
  if (report.postgres.startedAt !== null && report.postgres.startedAt !== before) postgres.serverStarted();
  if (!facts.seesPostgres && report.postgres.pid !== null) facts.seesPostgres = processesIn(config.dataDir).length > 0;
  facts.runner = { known: true, value: report, seenAt: monotonicNow() };
  poke();
}

function read<T>(request: Request, response: Response, parse: (text: string) => Parsed<T>): T | null {
  const parsed = parse(typeof request.body === 'string' ? request.body : '');
  if (parsed.ok) return parsed.value;
  bad(response, 'body', parsed.why);
  return null;
}

function waitOf(request: Request): number | null {
  const { wait } = request.query;
  if (wait === undefined) return 0;
  try {
    return typeof wait === 'string' ? Math.min(parseDuration(wait), WAIT_MAX_MS) : null;
  } catch {
    return null;
  }
}

function bad(response: Response, parameter: string, message: string): void {
  response.status(400).json(jsonError('HAPG_BAD_REQUEST', message, parameter));
}
