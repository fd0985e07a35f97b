import { CodedError, codeOf, jsonError, messageOf, type Log } from '@ha-postgres/service-kit';
import type { ErrorRequestHandler, Response } from 'express';

/** A request that is answered with an error: its status and a JSON body that says why. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly parameter?: string,
  ) {
    super(message);
  }
}

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof CodedError) {
    const status = error.code === 'HAPG_CONTROLLER_TIMEOUT' ? 504 : 503;
    return new Refusal(status, error.code, error.message);
  }
  // Express and its body parser say with `status` that the request itself was wrong: too large, cut off, badly encoded.
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  return typeof status === 'number' && status >= 400 && status < 500
    ? new Refusal(status, 'HAPG_BAD_REQUEST', messageOf(error))
    : undefined;
}

/** Written whole, past Express' own setters, which look each header up in tables: these answers are given every second. */
export function sendJsonText(response: Response, status: number, text: string): void {
  // A 204 has no content, and so no length.
  const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...length }).end(text);
}

export function sendJson(response: Response, status: number, value: unknown): void {
  sendJsonText(response, status, `${JSON.stringify(value)}\n`);
}

/** The last middleware: every error becomes a JSON answer, and what nobody foresaw is logged. */
export function answerErrors(log: Log): ErrorRequestHandler {
  // Express knows a middleware for errors by its four parameters; without the fourth it would be one for requests.
  return (error: unknown, request, response, _next) => {
    // Nobody is left to be told, or an answer was cut off in its middle: then an end without its end says so.
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const known = refusalOf(error);
    if (known === undefined) {
      log.error(
        { event: 'request.failed', err: error, code: codeOf(error), method: request.method, path: request.path },
        'request failed',
      );
    }
    const { status, code, message, parameter } = known ?? new Refusal(500, 'HAPG_INTERNAL', 'internal error');
    sendJson(response, status, jsonError(code, message, parameter));
  };
}
