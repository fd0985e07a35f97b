import type { FailsafeRequest, VoteRequest } from '@ha-postgres/cluster-state';
import type { Observation } from './observation';
import { consulWentBack } from './consul-memory';

export interface Consent {
  readonly agree: boolean;
  readonly why: string;
}

/** May this node give its vote to the holder of `request.term`? (It then receives WAL from nobody until that term runs or has ended.) */
export function mayVote(o: Observation, request: VoteRequest): Consent {
  if (o.hold !== null) return { agree: false, why: `holds the lock itself (term ${o.hold.term})` };
  if (o.disk.rejoining !== null) return { agree: false, why: 'its data is being made to follow a Master' };
  const newest = Math.max(o.disk.highestTerm, o.votedTerm);
  if (request.term < newest) return { agree: false, why: `has seen term ${newest}, newer than ${request.term}` };
  // Only a candidate whose Consul has forgotten that term asks for it again.
  if (o.disk.dataTerm >= request.term) return { agree: false, why: `has data of term ${o.disk.dataTerm} already` };
  return { agree: true, why: 'no newer term seen' };
}

/**
 * May this node promise not to take over, because the Master cannot reach Consul? Only to the holder of the newest term it
 * has seen, and only if Consul does not answer this node either: a Master that alone is cut off must be replaced.
 */
export function mayPromiseFailsafe(
  o: Observation,
  request: FailsafeRequest,
  lastConsistentAnswerAt: number | null,
): Consent {
  if (mayHold(o, request) || o.acquiring || o.resuming)
    return { agree: false, why: 'holds the lock itself, or may have just taken it' };
  const wentBack = consulWentBack(o);
  if (o.disk.highestTerm > 0 && wentBack !== null) return { agree: false, why: wentBack };
  const newest = Math.max(o.disk.highestTerm, o.votedTerm);
  if (request.term < newest) return { agree: false, why: `has seen term ${newest}, newer than ${request.term}` };
  const holder = o.master.known ? o.master.value.entry?.value : null;
  if (holder?.term === request.term && holder.node !== request.holder) {
    return { agree: false, why: `term ${request.term} is held by ${holder.node}` };
  }
  if (lastConsistentAnswerAt !== null && o.now - lastConsistentAnswerAt < o.policy.heartbeatIntervalMs) {
    return { agree: false, why: 'Consul answers here' };
  }
  return { agree: true, why: 'Consul does not answer here either' };
}

/**
 * A hold that Consul has taken away, and whose lease is over, gives no right any more: it is kept only until nothing is left of
 * PostgreSQL, which takes as long as the kernel keeps a process that was killed. Meanwhile its successor may need this promise.
 */
function mayHold({ hold, now }: Observation, { term }: FailsafeRequest): boolean {
  return hold !== null && !(hold.lost && now >= hold.endsAt && term > hold.term);
}
