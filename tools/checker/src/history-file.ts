import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { History, type HistoryEvent } from './history';

const TYPES: ReadonlySet<unknown> = new Set<HistoryEvent['type']>([
  'run',
  'sent',
  'acknowledged',
  'failed',
  'promoted',
  'ended',
  'stored',
]);
const VERSION = 1;

/** A history that grows on disk, a line of JSON for each event; what was added is there even if this process is killed. */
export class HistoryFile {
  private readonly file: number;

  /** @throws Error if the file is there already: a history is never written over. */
  constructor(path: string) {
    this.file = openSync(path, 'ax');
  }

  add(event: HistoryEvent): void {
    writeSync(this.file, `${JSON.stringify(event)}\n`);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Writes a whole history anew. @throws Error if the file is there already. */
export function writeHistory(path: string, events: Iterable<HistoryEvent>): void {
  const lines = [...events].map((event) => `${JSON.stringify(event)}\n`);
  closeSync(openSync(path, 'ax'));
  appendFileSync(path, lines.join(''));
}

/**
 * Reads the events of a recorded history. A last line without its end was cut off with the run, and is left out.
 * @throws RangeError naming the line that is no event.
 */
export function readEvents(path: string): HistoryEvent[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line, index) => {
    const event = parsed(line);
    if (event === null) throw new RangeError(`${path}, line ${index + 1}: no event of a history of version ${VERSION}`);
    return event;
  });
}

/** @throws RangeError naming what is damaged. */
export function readHistory(path: string): History {
  return History.of(readEvents(path));
}

function parsed(line: string): HistoryEvent | null {
  try {
    const event = JSON.parse(line) as { type?: unknown; version?: unknown; at?: unknown };
    const isKnown = TYPES.has(event.type) && typeof event.at === 'number';
    return isKnown && (event.type !== 'run' || event.version === VERSION) ? (event as HistoryEvent) : null;
  } catch {
    return null;
  }
}
