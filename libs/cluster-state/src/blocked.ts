import type { GivenUp, NodeStatus } from './values';

/** How a node begins what it says of its rejoining when only an administrator can let it. */
const WOULD_LOSE = 'HAPG_REJOIN_WOULD_LOSE';

type Rejoining = Pick<NodeStatus, 'rejoin'>;
type Told = Rejoining & Pick<NodeStatus, 'role' | 'runnerPhase'>;

/** Rejoining would give up commits that only this node has: `hapg rejoin` lets it. */
export function waitsForConsent({ rejoin }: Rejoining): boolean {
  return rejoin?.startsWith(WOULD_LOSE) === true;
}

/**
 * The node's PostgreSQL is kept stopped until a person has done something about it.
 * @param instruction the kind of what its runner is told; null: not known
 */
export function waitsForPerson(status: Told, instruction: string | null): boolean {
  const { rejoin, role, runnerPhase } = status;
  if (waitsForConsent(status)) return true;
  // It says what it is about: as long as that is no error, and not forbidden, it goes on by itself.
  if (rejoin != null) return /^HAPG_|rejoin: never/.test(rejoin);
  return role === 'DeadMaster' || instruction === 'blocked' || runnerPhase === 'blocked';
}

/** Whether a leave to give up commits was given for what a node holds now. Null: it has not been looked at yet. */
export function isGivenUp(gives: GivenUp, held: GivenUp | null): boolean {
  if (held === null) return false;
  const isSame = gives.fromLsn === held.fromLsn && gives.toLsn === held.toLsn && gives.commits === held.commits;
  return isSame && gives.transactions.join() === held.transactions.join();
}
