import { monotonicNow, type Log, type Millis } from '@ha-postgres/service-kit';

/** One line of PostgreSQL's log. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** PostgreSQL's own word, such as LOG, ERROR or DETAIL; null for a line without our prefix. */
  readonly severity: string | null;
  readonly message: string;
  readonly fields: object;
}

/**
 * A client's mistake (ERROR) or a refused connection (FATAL) is not an operator's business but may explain something
 * later; PANIC is.
 */
const LEVELS: Readonly<Record<string, LogLine['level']>> = {
  WARNING: 'warn',
  ERROR: 'warn',
  FATAL: 'warn',
  PANIC: 'error',
};

/** See `LOG_LINE_PREFIX`. */
const LINE = /^<(\d+)\|([^|]*)\|([^|]*)\|(\w{5})> ([A-Z]+\d?): {1,2}(.*)$/s;

/** Reads a line as `log_line_prefix` and the severity make it; other programs' output is taken as it is. */
export function parseLogLine(line: string): LogLine {
  const [, pid, user, database, sqlState, severity = '', message = ''] = LINE.exec(line) ?? [];
  if (pid === undefined) return { level: 'info', severity: null, message: line, fields: {} };
  const level = severity.startsWith('DEBUG') ? 'debug' : (LEVELS[severity] ?? 'info');
  const fields = {
    pid: Number(pid),
    severity,
    ...(user === '' ? {} : { user }),
    ...(database === '' ? {} : { database }),
    ...(sqlState === '00000' ? {} : { sqlState }),
  };
  return { level, severity, message, fields };
}

/** The longest piece of text that is kept while its line is not yet complete. */
const LINE_CHARACTERS_MAX = 65_536;

/** Cuts a stream of text into lines; lines that begin with a tab continue the one before. */
export class LineCutter {
  #rest = '';

  /** The lines that `text` completes. */
  push(text: string): string[] {
    const pieces = (this.#rest + text).split('\n');
    const rest = pieces.pop() ?? '';
    this.#rest = rest.length > LINE_CHARACTERS_MAX ? '' : rest;
    if (rest.length > LINE_CHARACTERS_MAX) pieces.push(rest);
    return pieces.reduce<string[]>((lines, piece) => {
      const last = lines.at(-1);
      if (piece.startsWith('\t') && last !== undefined) lines[lines.length - 1] = `${last}\n${piece.slice(1)}`;
      else if (piece !== '') lines.push(piece);
      return lines;
    }, []);
  }

  /** What is left at the end of the stream. */
  end(): string[] {
    const rest = this.#rest;
    this.#rest = '';
    return rest === '' ? [] : [rest];
  }
}

/** What an upstream says to a Replica that asks for WAL which is not there any more; `lc_messages` is C on both sides. */
const WAL_GONE = /requested WAL segment [0-9A-F]{24} has already been removed/;
/** It is said at every try, once in 5 s at least. */
const WAL_GONE_FOR_MS = 15_000;

/** Wraps PostgreSQL's output into the structured log and remembers why it gave up. */
export class PostgresLog {
  readonly #cutter = new LineCutter();
  readonly #log: Log;
  #lastFatal: string | null = null;
  #walGone: { readonly why: string; readonly at: Millis } | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The last FATAL or PANIC message, or line without severity, for the error that reports an exit. */
  get lastFatal(): string | null {
    return this.#lastFatal;
  }

  /** WAL that the upstream does not have any more; null: it was not said, or not of late. */
  get walGone(): string | null {
    const said = this.#walGone;
    return said !== null && monotonicNow() < said.at + WAL_GONE_FOR_MS ? said.why : null;
  }

  /** What was said was said of another upstream. */
  forgetWalGone(): void {
    this.#walGone = null;
  }

  push(text: string): void {
    for (const line of this.#cutter.push(text)) this.#write(line);
  }

  end(): void {
    for (const line of this.#cutter.end()) this.#write(line);
  }

  #write(line: string): void {
    const { level, severity, message, fields } = parseLogLine(line);
    if (severity === null || severity === 'FATAL' || severity === 'PANIC') this.#lastFatal = message;
    const gone = WAL_GONE.exec(message)?.[0];
    if (gone !== undefined && severity !== null) this.#walGone = { why: gone, at: monotonicNow() };
    this.#log[level]({ event: 'postgres.log', ...fields }, message);
  }
}
