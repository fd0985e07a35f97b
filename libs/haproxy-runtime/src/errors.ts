import type { Reply } from './reply';

/**
 * What went wrong, for programs to ask for (not the class, not the message):
 * - `HAPROXY_ARGUMENT`: a value that cannot or must not be sent; nothing was sent
 * - `HAPROXY_REFUSED`: HAProxy answered that it did not do it; see `command`, `severity`, `text`, `reason`
 * - `HAPROXY_UNREACHABLE`: no connection; nothing was sent
 * - `HAPROXY_CLOSED`: HAProxy ended the connection before it had answered everything
 * - `HAPROXY_TIMEOUT`, `HAPROXY_ABORTED`: not everything was answered when time ran out or the signal fired
 * - `HAPROXY_UNREADABLE`: an answer in a form this library does not know
 */
export type RuntimeErrorCode =
  | 'HAPROXY_ARGUMENT'
  | 'HAPROXY_REFUSED'
  | 'HAPROXY_UNREACHABLE'
  | 'HAPROXY_CLOSED'
  | 'HAPROXY_TIMEOUT'
  | 'HAPROXY_ABORTED'
  | 'HAPROXY_UNREADABLE';

/** Why HAProxy refused, as far as its text tells. */
export type RefusalReason =
  | 'PermissionDenied'
  | 'NoSuchServer'
  | 'NoSuchBackend'
  | 'NoSuchTable'
  | 'NoSuchFile'
  | 'NotFound'
  | 'ServerExists'
  | 'UnknownCommand'
  | 'Other';

export interface RuntimeErrorDetails {
  /** The command as it was sent, where the error belongs to one command. */
  readonly command?: string;
  /** Syslog severity of HAProxy's answer, 0–7 (3 error, 4 warning, 6 information), where it gave one. */
  readonly severity?: number;
  /** HAProxy's answer, without severity and surrounding white space. */
  readonly text?: string;
  readonly reason?: RefusalReason;
  /** What had been answered before the conversation broke: those commands have been carried out or refused. */
  readonly replies?: readonly Reply[];
  readonly cause?: unknown;
}

/** The one error of this library; `code` tells which. */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;
  readonly command?: string;
  readonly severity?: number;
  readonly text?: string;
  readonly reason?: RefusalReason;
  readonly replies?: readonly Reply[];

  constructor(code: RuntimeErrorCode, message: string, details: RuntimeErrorDetails = {}) {
    const { cause, ...fields } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RuntimeError';
    this.code = code;
    Object.assign(this, fields);
  }
}

/** An argument that must not be sent; names it. */
export function argumentError(what: string, value: unknown, expected: string): RuntimeError {
  return new RuntimeError('HAPROXY_ARGUMENT', `${what} ${JSON.stringify(value)}: ${expected}`);
}

/** Texts as HAProxy 2.6.12 writes them (measured); matched loosely, so that other versions' wording is recognised. */
const REASONS: readonly (readonly [RegExp, RefusalReason])[] = [
  [/permission denied/i, 'PermissionDenied'],
  [/no such server/i, 'NoSuchServer'],
  [/no such backend|can't find backend/i, 'NoSuchBackend'],
  [/no such table/i, 'NoSuchTable'],
  [/unknown (?:map|acl) identifier/i, 'NoSuchFile'],
  [/(?:key|entry|session) not found/i, 'NotFound'],
  [/already exists a server/i, 'ServerExists'],
  [/^unknown command/i, 'UnknownCommand'],
];

/** HAProxy said no to `command`. */
export function refusal(command: string, severity: number | undefined, text: string): RuntimeError {
  const reason = REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? 'Other';
  const firstLine = text.split('\n', 1)[0] ?? '';
  return new RuntimeError('HAPROXY_REFUSED', `HAProxy refused "${command}": ${firstLine}`, {
    command,
    text,
    reason,
    ...(severity === undefined ? {} : { severity }),
  });
}

const EXCERPT_LENGTH_MAX = 200;

/** An answer whose form is not known; names what was expected and shows the beginning of what came. */
export function unreadable(what: string, text: string): RuntimeError {
  return new RuntimeError('HAPROXY_UNREADABLE', `${what}: ${JSON.stringify(text.slice(0, EXCERPT_LENGTH_MAX))}`, {
    text,
  });
}
