import { join } from 'node:path';
import { parseLsn, type Lsn } from '@ha-postgres/lsn';
import type { Account } from '../postgres/account';
import { runProgram } from '../postgres/program';

/** What `pg_controldata` tells of a directory that was rewound. */
export interface ControlData {
  readonly state: string;
  /** Replay must go so far before the data is consistent. */
  readonly minimumRecovery: Lsn;
  readonly minimumRecoveryTimeline: number;
}

/** Reads what `pg_controldata` prints. @throws Error naming the line that is missing. */
export function parseControlData(lines: readonly string[]): ControlData {
  const value = (name: string): string => {
    const line = lines.find((one) => one.startsWith(`${name}:`));
    if (line === undefined) throw new Error(`pg_controldata does not say ${JSON.stringify(name)}`);
    return line.slice(name.length + 1).trim();
  };
  return {
    state: value('Database cluster state'),
    minimumRecovery: parseLsn(value('Minimum recovery ending location')),
    minimumRecoveryTimeline: Number(value("Min recovery ending loc's timeline")),
  };
}

/** @throws Error if `pg_controldata` fails or prints something else. */
export async function readControlData(
  binDir: string,
  dataDir: string,
  account: Account,
  signal: AbortSignal,
): Promise<ControlData> {
  const lines: string[] = [];
  await runProgram({
    command: join(binDir, 'pg_controldata'),
    arguments: ['-D', dataDir],
    cwd: dataDir,
    account,
    // The words are translated otherwise.
    environment: { LC_ALL: 'C' },
    signal,
    onLine: (line) => lines.push(line),
  });
  return parseControlData(lines);
}
