import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterNode } from '@ha-postgres/local-cluster';

/**
 * The number of the newest timeline that a data directory knows, by its history files.
 * @throws Error if there is none: it has never been promoted, nor followed a node that was.
 */
export function newestTimeline({ name, dataDir }: ClusterNode): number {
  const wal = join(dataDir, 'pg_wal');
  const histories = readdirSync(wal).filter((file) => /^[0-9A-F]{8}\.history$/.test(file));
  if (histories.length === 0) throw new Error(`${name} has no timeline history in ${wal}`);
  return Math.max(...histories.map((file) => parseInt(file, 16)));
}
