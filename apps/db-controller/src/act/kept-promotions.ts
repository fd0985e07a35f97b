import type { HistoryEntry } from '@ha-postgres/cluster-state';

/** Promotions that are kept: their terms and forks tell whose data is an ancestor of whose. */
const PROMOTIONS_MAX = 1000;
/**
 * Consul takes transactions of up to 512 kB, in which values are base64: a third longer. A history that does not fit would let nobody
 * become Master any more.
 */
const BYTES_MAX = 256 * 1024;

/** The newest promotions, the oldest first, that fit in a transaction. */
export function keptPromotions(promotions: readonly HistoryEntry[]): readonly HistoryEntry[] {
  let bytes = 0;
  let kept = 0;
  for (const entry of promotions.slice(-PROMOTIONS_MAX).reverse()) {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    // The newest is what this Master has to say, whatever its length.
    if (bytes > BYTES_MAX && kept > 0) break;
    kept += 1;
  }
  return promotions.slice(promotions.length - kept);
}

/** What only the newest says. */
export function withoutTimelines(entry: HistoryEntry): HistoryEntry {
  if (entry.left === undefined) return entry;
  const { left: _left, ...older } = entry;
  return older;
}
