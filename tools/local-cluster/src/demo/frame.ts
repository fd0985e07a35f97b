import Table from 'cli-table3';
import type { NodeRow } from './node-rows';

const UNKNOWN = '–';

/** The whole picture: how the inserts fare, the nodes, and what happened last. */
export function frame(
  inserts: { readonly attempts: number; readonly failed: number },
  rows: readonly NodeRow[],
  events: readonly string[],
): string {
  const title = `Client inserts: ${inserts.attempts} attempts, ${inserts.failed} failed`;
  return [title, nodeTable(rows), ...events].join('\n');
}

export function nodeTable(rows: readonly NodeRow[]): string {
  const head = ['POD', 'BACKEND', 'ENABLED', 'RECORDS', 'IN RECOVERY', 'ROLE', 'TIMELINE', 'LAG'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const row of rows) {
    table.push([
      row.name,
      row.backend ?? UNKNOWN,
      yesNo(row.isEnabled),
      row.records ?? UNKNOWN,
      row.isInRecovery === null ? UNKNOWN : yesNo(row.isInRecovery),
      row.role ?? 'no answer',
      row.timeline ?? UNKNOWN,
      row.lagBytes === null ? UNKNOWN : bytes(row.lagBytes),
    ]);
  }
  return table.toString();
}

function yesNo(is: boolean): string {
  return is ? 'yes' : 'no';
}

function bytes(count: number): string {
  if (count < 1_024) return `${count} B`;
  const kibibytes = count / 1_024;
  return kibibytes < 1_024 ? `${kibibytes.toFixed(1)} KiB` : `${(kibibytes / 1_024).toFixed(1)} MiB`;
}
