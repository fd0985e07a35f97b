/** Consul answered, and refused: `status` and `body` are its own. Nothing was written. */
export class ConsulError extends Error {
  override readonly name = 'ConsulError';
  readonly code = 'HAPG_CONSUL_REFUSED';
  constructor(
    readonly request: string,
    readonly status: number,
    readonly body: string,
  ) {
    super(`Consul answered ${request} with ${status}: ${body.trim().slice(0, 300)}`);
  }
}

/**
 * The outcome is unknown: no answer came (time limit, broken connection, abort), or a write was answered with a 5xx, as
 * "leadership lost while committing log" may still be committed. Whoever wrote must assume both.
 */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly code = 'HAPG_CONSUL_NO_ANSWER';
  constructor(
    readonly request: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`no answer from Consul to ${request}: ${why}`, options);
  }
}

export function isNoAnswer(error: unknown): error is NoAnswerError {
  return error instanceof Error && (error as { code?: unknown }).code === 'HAPG_CONSUL_NO_ANSWER';
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
