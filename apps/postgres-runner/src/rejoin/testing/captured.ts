import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLsn, type Lsn } from '@ha-postgres/lsn';

export interface Captured {
  /** Where the statement began. */
  readonly from: Lsn;
  readonly lines: readonly string[];
}

/** What `pg_waldump` 15.18 printed of single statements, by their names (repeated rows left out, spaces made single). */
export function captured(): ReadonlyMap<string, Captured> {
  const sections = readFileSync(join(__dirname, 'pg-waldump-15.txt'), 'utf8').split(/^== /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [head = '', ...lines] = section.trimEnd().split('\n');
      const [name = '', from = ''] = head.split(' ');
      return [name, { from: parseLsn(from), lines }];
    }),
  );
}
