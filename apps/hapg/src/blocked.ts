import type { NodeRow } from './picture';

/** How a node begins what it says of its rejoining when only an administrator can let it. */
const WOULD_LOSE = 'HAPG_REJOIN_WOULD_LOSE';

/** Rejoining would give up commits that only this node has: `hapg rejoin` lets it. */
export function waitsForConsent({ status }: NodeRow): boolean {
  return status?.rejoin?.startsWith(WOULD_LOSE) === true;
}

/** Its PostgreSQL is kept stopped until a person has done something about it. */
export function isBlocked(row: NodeRow): boolean {
  const { status, instruction } = row;
  if (waitsForConsent(row)) return true;
  // It says what it is about: as long as that is no error, and not forbidden, it goes on by itself.
  if (status?.rejoin != null) return /^HAPG_|rejoin: never/.test(status.rejoin);
  return status?.role === 'DeadMaster' || instruction === 'blocked' || status?.runnerPhase === 'blocked';
}

/** Why, in the node's own words. */
export function whyBlocked({ status, instructionWhy }: NodeRow): string {
  return status?.rejoin ?? status?.lastError ?? instructionWhy ?? 'it gives no reason';
}

/** What it held beyond the fork, for who must decide on it; null: nothing is known. */
export function heldBeyond({ status }: NodeRow): string | null {
  const divergence = status?.divergence;
  if (divergence == null) return null;
  const { commits, fromLsn, toLsn, transactions, keptAt } = divergence;
  const range = `WAL from ${fromLsn ?? 'unknown'} to ${toLsn ?? 'unknown'}`;
  const which = transactions.length === 0 ? '' : `, transactions ${transactions.join(', ')}`;
  const kept = keptAt === null ? '' : `; kept in ${keptAt}`;
  return `${commits ?? 'an unknown number of'} commits, ${range}${which}${kept}`;
}
