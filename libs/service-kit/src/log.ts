import pino from 'pino';

/** Fields of one event; `event` names it (`lease.acquired`, `role.changed`), `err` carries an error. */
export type LogFields = object;

export type LogFunction = (fields: LogFields, message?: string) => void;

/** What libraries ask of a logger; pino's own logger is one. */
export interface Log {
  debug: LogFunction;
  info: LogFunction;
  warn: LogFunction;
  error: LogFunction;
  fatal: LogFunction;
  /** A log that adds `fields` to each of its lines. */
  child: (fields: LogFields) => Log;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** Written as `app` into every line. */
  readonly name: string;
  readonly level: string;
  /** Fields of every line, such as the node's name. */
  readonly base?: object;
  /** Where lines go; standard output if absent. */
  readonly destination?: { write(line: string): void };
}

/**
 * JSON lines to standard output. The destination is synchronous: a line that was logged just before the process ended
 * is the one that explains why it did.
 */
export function createLogger(options: LoggerOptions): Log {
  const { name, level, base, destination = pino.destination({ fd: 1, sync: true }) } = options;
  return pino(
    {
      level,
      base: { app: name, ...base },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** A log that writes nothing, for examples and tests. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  child: () => silentLog,
};
