import { readFileSync } from 'node:fs';

/** The part of a service's log line that is looked at here. */
export interface LogLine {
  /** ISO 8601, wall clock. */
  readonly time: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The JSON lines of a log; others (of programs that are not ours, or cut off by a kill) are left out. */
export function readLogLines(file: string): LogLine[] {
  return readIfThere(file).split('\n').flatMap(parseLine);
}

/** The wall-clock time of the first line at or after `since` that matches, in milliseconds; null if there is none. */
export function firstTime(
  lines: readonly LogLine[],
  since: number,
  matches: (line: LogLine) => boolean,
): number | null {
  const line = lines.find((candidate) => Date.parse(candidate.time) >= since && matches(candidate));
  return line === undefined ? null : Date.parse(line.time);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function parseLine(text: string): LogLine[] {
  if (!text.startsWith('{')) return [];
  try {
    const line = JSON.parse(text) as Partial<LogLine>;
    return typeof line.time === 'string' && typeof line.event === 'string' ? [line as LogLine] : [];
  } catch {
    return [];
  }
}
