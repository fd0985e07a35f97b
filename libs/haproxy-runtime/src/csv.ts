import { unreadable } from './errors';

const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** The fields of one line as HAProxy writes CSV: quoted if they hold a comma, a quote or a blank, quotes doubled. */
export function readCsvLine(line: string): string[] {
  const fields: string[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const match = FIELD.exec(line);
    if (match === null) throw unreadable('not a line of CSV', line);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return fields;
  }
}
