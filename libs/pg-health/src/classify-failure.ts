import { ServerFailure, type FailureKind } from './failure-kind';

interface ErrorFields {
  readonly message?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly severity?: unknown;
  readonly errors?: unknown;
}

const SQL_STATE = /^[0-9A-Z]{5}$/;

/**
 * Variants of SQLSTATE 57P03 (cannot_connect_now), which only their text tells apart (src/backend/tcop/backend_startup.c,
 * before 18 postmaster.c). The text is translated by the server's `lc_messages`; untranslatable to us, it counts as
 * `starting-up`: all variants say that the postmaster runs and takes no sessions now.
 */
const CANNOT_CONNECT_NOW: readonly (readonly [RegExp, FailureKind])[] = [
  [/shutting down/i, 'shutting-down'],
  [/recovery mode|not (yet )?accepting connections/i, 'recovering'],
];

const BY_SQL_STATE: readonly (readonly [RegExp, FailureKind])[] = [
  [/^53300$/, 'too-many-connections'],
  [/^28/, 'authentication'],
  // admin_shutdown, crash_shutdown, database_dropped, idle_session_timeout: they end one session, which may be all that
  // happened (pg_terminate_backend), so nothing is said about the server.
  [/^57P0[1245]$/, 'lost'],
  [/^08/, 'lost'],
];

const BY_SYSTEM_CODE: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  // No file at the path of the unix socket.
  ENOENT: 'refused',
  ECONNRESET: 'lost',
  ECONNABORTED: 'lost',
  EPIPE: 'lost',
  EHOSTUNREACH: 'timeout',
  ENETUNREACH: 'timeout',
  EHOSTDOWN: 'timeout',
  ENETDOWN: 'timeout',
};

// What node-postgres says itself, without any code (lib/client.js, lib/crypto/sasl.js of pg 8).
const BY_MESSAGE: readonly (readonly [RegExp, FailureKind])[] = [
  [/^Connection terminated/, 'lost'],
  [/^Client has encountered a connection error/, 'lost'],
  [/^SASL: /, 'authentication'],
  [/timeout expired|timeout exceeded/, 'timeout'],
];

/** Says what kind of failure an error of a connection or a query is. Never throws; `other` for what it does not know. */
export function classifyFailure(error: unknown): FailureKind {
  if (error instanceof ServerFailure) return error.kind;
  if (typeof error !== 'object' || error === null) return 'other';
  const fields = error as ErrorFields;
  const message = typeof fields.message === 'string' ? fields.message : '';
  if (sqlStateOf(error) !== undefined) return bySqlState(String(fields.code), message);
  return bySystemCode(fields) ?? firstMatch(BY_MESSAGE, message) ?? byFirstOf(fields.errors);
}

/** The SQLSTATE of an error that PostgreSQL sent (such an error has a severity too), else `undefined`. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof ServerFailure) return error.sqlState;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, severity } = error as ErrorFields;
  return typeof code === 'string' && typeof severity === 'string' && SQL_STATE.test(code) ? code : undefined;
}

function bySqlState(sqlState: string, message: string): FailureKind {
  if (sqlState === '57P03') return firstMatch(CANNOT_CONNECT_NOW, message) ?? 'starting-up';
  return firstMatch(BY_SQL_STATE, sqlState) ?? 'other';
}

function bySystemCode({ code, syscall }: ErrorFields): FailureKind | undefined {
  if (typeof code !== 'string') return undefined;
  // A connection that stood and whose peer fell silent (keepalive) ends with ETIMEDOUT as well, in `read`.
  if (code === 'ETIMEDOUT') return syscall === 'read' || syscall === 'write' ? 'lost' : 'timeout';
  return BY_SYSTEM_CODE[code];
}

/** Node tries all addresses of a name and reports an AggregateError; the first tells as much as any. */
function byFirstOf(errors: unknown): FailureKind {
  return Array.isArray(errors) && errors.length > 0 ? classifyFailure(errors[0]) : 'other';
}

function firstMatch(table: readonly (readonly [RegExp, FailureKind])[], text: string): FailureKind | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}
