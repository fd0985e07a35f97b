import { unreadable } from './errors';

/** A row of a table whose header names the columns: so that columns added by other versions do no harm. */
export class Row {
  readonly #values: ReadonlyMap<string, string>;
  readonly #line: string;

  constructor(header: readonly string[], values: readonly string[], line: string) {
    this.#values = new Map(header.flatMap((column, index) => (index in values ? [[column, values[index] ?? '']] : [])));
    this.#line = line;
  }

  /** @throws RuntimeError HAPROXY_UNREADABLE if the row has no such column. */
  text(column: string): string {
    const value = this.#values.get(column);
    if (value === undefined) throw unreadable(`no column ${column}`, this.#line);
    return value;
  }

  /** @throws RuntimeError HAPROXY_UNREADABLE if the row has no such column or it is no integer. */
  integer(column: string): number {
    const value = this.text(column);
    if (!/^-?\d+$/.test(value)) throw unreadable(`column ${column} is no integer`, this.#line);
    return Number(value);
  }

  /** `undefined` where HAProxy writes `-` (none). */
  optionalText(column: string): string | undefined {
    const value = this.text(column);
    return value === '-' || value === '' ? undefined : value;
  }
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** Lines of words below a header `# column column …`. */
export function readColumns(text: string): Row[] {
  const lines = linesOf(text);
  const headerAt = lines.findIndex((line) => line.startsWith('# '));
  const header = lines[headerAt]?.slice(2).trim().split(/\s+/);
  if (header === undefined) throw unreadable('no header line', text);
  return lines.slice(headerAt + 1).map((line) => new Row(header, line.trim().split(/\s+/), line));
}

/** Lines of `Name: value`. */
export function readFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    linesOf(text).map((line) => {
      const colon = line.indexOf(':');
      if (colon < 0) throw unreadable('not a line of name and value', line);
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}
