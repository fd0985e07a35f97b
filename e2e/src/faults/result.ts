import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Half } from './half';

/** What one run of a row showed. Milliseconds are null where there was nothing to measure. */
export interface Figures {
  /** The longest time between two acknowledged writes of a client of which the later came after the fault. */
  readonly writeOutageMs: number | null;
  readonly attempts: number;
  /** Without an acknowledgement; `ambiguous`: those of them that may have been carried out. */
  readonly failed: number;
  readonly ambiguous: number;
  /** Acknowledged, and not there at the end. Of clients behind load balancers, and of the prober past them. */
  readonly lost: number;
  readonly lostPastLoadBalancers: number;
  readonly writersAtOnce: number;
  /** Acknowledged by a node though sent after another node had acknowledged one in a higher term. */
  readonly late: number;
  /** How many times a node became Master. */
  readonly failovers: number;
  /** From the fault, or from its end if it has one, until every node streams and can take over. */
  readonly redundancyMs: number | null;
  /** How many nodes an administrator had to help for that. */
  readonly hands: number;
}

/** What became of a row, or of one variant of it. */
export interface Result {
  readonly row: number;
  /** Tells variants of a row apart; empty if there is one. */
  readonly variant: string;
  /** Whether continuous integration runs it each time. */
  readonly half: Half;
  /** Wall clock, ISO 8601. */
  readonly at: string;
  readonly replication: string;
  readonly runs: readonly Figures[];
  /** What did not hold; null: everything did. */
  readonly failure: string | null;
}

/** Writes a result where the table looks for it, over that of an earlier run. */
export function writeResult(directory: string, result: Result): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, fileName(result)), `${JSON.stringify(result, null, 2)}\n`);
}

/** A row that is run again has no result until it has ended. */
export function forgetResult(directory: string, result: Pick<Result, 'row' | 'variant'>): void {
  rmSync(join(directory, fileName(result)), { force: true });
}

export function readResults(directory: string): Result[] {
  return readdirSync(directory)
    .filter((name) => /^row-\d+.*\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Result);
}

function fileName({ row, variant }: Pick<Result, 'row' | 'variant'>): string {
  const words = variant.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return `row-${[String(row).padStart(2, '0'), ...words].join('-')}.json`;
}
