import { waitsForConsent as statusWaitsForConsent, waitsForPerson } from '@ha-postgres/cluster-state';
import type { NodeRow } from './picture';

/** Rejoining would give up commits that only this node has: `hapg rejoin` lets it. */
export function waitsForConsent({ status }: NodeRow): boolean {
  return status !== null && statusWaitsForConsent(status);
}

/** Its PostgreSQL is kept stopped until a person has done something about it. */
export function isBlocked({ status, instruction }: NodeRow): boolean {
  return status === null ? instruction === 'blocked' : waitsForPerson(status, instruction);
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
