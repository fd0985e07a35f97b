import { RequestVerifier, bootId, monotonicNanos, type Log, type Metrics } from '@ha-postgres/service-kit';
import express, { type Express, type RequestHandler } from 'express';
import { readBody } from './body';
import type { Controller } from './controller-client';
import { forwardRunnerReport, forwardSigned } from './forwarding';
import { parseFailsafeRequest, parseVoteRequest, parseWalTailRequest } from '@ha-postgres/cluster-state';
import { answerMetrics, answerReady, answerRole, answerStatus } from './answers';
import type { Moment } from './readiness';
import { Refusal, answerErrors } from './refusal';
import type { StateSource } from './subscription';

export interface Parts {
  readonly secret: string;
  readonly controller: Controller;
  readonly subscription: StateSource;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Now; the machine's own clock and boot if absent. */
  readonly now?: () => Moment;
}

type Method = 'GET' | 'POST' | 'OPTIONS';

const machineNow = (): Moment => ({ bootId: bootId(), nanos: monotonicNanos() });

/** Checks are asked with OPTIONS too: that is how `option httpchk` of older load balancer configurations asks. */
const CHECK: readonly Method[] = ['GET', 'OPTIONS'];

function refuseMethod(methods: readonly Method[]): RequestHandler {
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return (request, response) => {
    response.set('allow', allow);
    throw new Refusal(405, 'HAPG_BAD_METHOD', `${request.method} is not allowed here, only ${allow}`);
  };
}

function countAnswers(metrics: Metrics): RequestHandler {
  const answers = metrics.counter('hapg_role_server_answers_total', 'Answers by path and status', ['path', 'status']);
  return (request, response, next) => {
    response.once('close', () => {
      const route = request.route as { path: string } | undefined;
      answers.inc({ path: route?.path ?? 'unknown', status: response.statusCode });
    });
    next();
  };
}

/** All paths of the pod's only door. */
export function createRoutes(parts: Parts): Express {
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple');
  // One spelling for each path: a misspelt check is noticed, not answered by luck.
  app.enable('strict routing').enable('case sensitive routing');
  const now = parts.now ?? machineNow;
  const verifier = new RequestVerifier(parts.secret);
  const on = (path: string, methods: readonly Method[], ...handlers: RequestHandler[]): void => {
    const route = app.route(path);
    for (const method of methods) {
      if (method === 'POST') route.post(...handlers);
      else if (method === 'GET') route.get(...handlers);
      else route.options(...handlers);
    }
    route.all(refuseMethod(methods));
  };

  app.use(countAnswers(parts.metrics));
  on('/controller/ready', CHECK, answerReady(parts.subscription, now, 'any'));
  on('/controller/role', ['GET'], answerRole(parts.subscription, now));
  on('/controller/status', ['GET'], answerStatus(parts.subscription, now));
  on('/controller/runner', ['POST'], readBody, forwardRunnerReport(parts.controller));
  on('/controller/vote', ['POST'], readBody, forwardSigned(parts, verifier, '/vote', parseVoteRequest));

  on('/controller/wal-tail', ['POST'], readBody, forwardSigned(parts, verifier, '/wal-tail', parseWalTailRequest));
  on('/controller/failsafe', ['POST'], readBody, forwardSigned(parts, verifier, '/failsafe', parseFailsafeRequest));
  on('/primary', CHECK, answerReady(parts.subscription, now, 'Master'));
  on('/replica', CHECK, answerReady(parts.subscription, now, 'Replica'));
  on('/health', CHECK, answerReady(parts.subscription, now, 'any'));
  on('/readiness', CHECK, answerReady(parts.subscription, now, 'any'));
  on('/liveness', CHECK, (_, response) => void response.type('json').end('{"alive":true}\n'));
  on('/metrics', ['GET'], answerMetrics(parts.metrics, parts.controller));
  app.use((request) => {
    throw new Refusal(404, 'HAPG_NO_SUCH_PATH', `there is nothing at ${request.path}`);
  });
  app.use(answerErrors(parts.log));
  return app;
}
