import type { NodeRow } from './picture';

/** Its PostgreSQL is kept stopped until a person has looked at it. */
export function isBlocked({ status, instruction }: NodeRow): boolean {
  return status?.role === 'DeadMaster' || instruction === 'blocked' || status?.runnerPhase === 'blocked';
}
