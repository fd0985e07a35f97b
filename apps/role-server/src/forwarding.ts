import { parseRunnerReport, type Parsed } from '@ha-postgres/cluster-state';
import { signAnswer, type RequestVerifier } from '@ha-postgres/service-kit';
import type { Request, RequestHandler, Response } from 'express';
import type { Controller, ControllerAnswer } from './controller-client';
import { Refusal, sendJsonText } from './refusal';

/** Votes and failsafe answers are worthless to their askers long before this. */
const FORWARD_TIMEOUT_MS = 2_000;

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;

/** Left by `readBody`. */
function bodyOf(request: Request): string {
  return typeof request.body === 'string' ? request.body : '';
}

function check(parse: (text: string) => Parsed<unknown>, body: string): void {
  const parsed = parse(body);
  if (!parsed.ok) throw new Refusal(400, 'HAPG_BAD_BODY', parsed.why, 'body');
}

function pass(controller: Controller, path: string, body: string): Promise<ControllerAnswer> {
  return controller.ask({ method: 'POST', path, body, timeoutMs: FORWARD_TIMEOUT_MS });
}

function send(response: Response, { status, body }: ControllerAnswer): void {
  sendJsonText(response, status, body);
}

/** Passes the runner's report on. Only processes of this pod may report: the runner is one, and needs no secret. */
export function forwardRunnerReport(controller: Controller): RequestHandler {
  return async (request, response) => {
    // The connection's own address: a header that a proxy would set can be set by anybody.
    const from = request.socket.remoteAddress ?? '';
    if (!LOOPBACK.test(from))
      throw new Refusal(403, 'HAPG_NOT_LOOPBACK', `only the pod itself reports here, not ${from}`);
    check(parseRunnerReport, bodyOf(request));
    send(response, await pass(controller, '/runner', bodyOf(request)));
  };
}

function verifiedNonce(verifier: RequestVerifier, request: Request): string {
  const { method, originalUrl: path, headers } = request;
  const verdict = verifier.verify({ method, path, headers, body: bodyOf(request) });
  if (verdict.ok) return verdict.nonce;
  if (verdict.why === 'replayed') throw new Refusal(409, 'HAPG_REPLAYED', 'this request was already answered');
  throw new Refusal(
    401,
    'HAPG_BAD_SIGNATURE',
    verdict.why === 'unsigned' ? 'the request is not signed' : 'the signature is wrong',
  );
}

/** Passes on what another node asks, if it knows the cluster's secret, and binds the answer to its nonce. */
export function forwardSigned(
  { secret, controller }: { readonly secret: string; readonly controller: Controller },
  verifier: RequestVerifier,
  path: string,
  parse: (text: string) => Parsed<unknown>,
): RequestHandler {
  return async (request, response) => {
    const nonce = verifiedNonce(verifier, request);
    check(parse, bodyOf(request));
    const answer = await pass(controller, path, bodyOf(request));
    response.set(signAnswer(secret, nonce, answer.body));
    send(response, answer);
  };
}
