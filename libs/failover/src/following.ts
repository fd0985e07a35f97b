import { slotName, type HistoryEntry, type MasterValue, type Upstream } from '@ha-postgres/cluster-state';
import { ancestry, type Ancestry } from './ancestry';
import { ownTimelines } from './own-timelines';
import type { Observation } from './observation';
import type { Outcome } from './outcome';
import { wayTo } from './replication-way';
import { strayFrom } from './stray-timelines';

export const RECEIVE_FROM_NOBODY: Outcome = { role: 'Replica', instruction: { kind: 'follow', upstream: null } };

/** The Master that holds the lock and takes writes, if it is another node. */
export function runningMaster(o: Observation): MasterValue | null {
  const entry = o.master.known ? o.master.value.entry : null;
  if (entry?.value == null || entry.session === null) return null;
  return entry.value.phase === 'running' && entry.value.node !== o.self.node ? entry.value : null;
}

/** Where this node gets its WAL, which way, and by which slot: one that the Master has not said to keep would refuse it. */
export function upstreamOf(o: Observation, master: MasterValue): Upstream {
  const { node, host, port, apiPort, term, slots } = master;
  const slot = slots?.includes(o.self.node) === true ? { slot: slotName(term, o.self.node) } : {};
  return wayTo(o, { node, host, port, apiPort, term, ...slot });
}

export function judge(o: Observation, master: MasterValue): Ancestry {
  const another = whyAnother(o, master);
  if (another !== null) return { kind: 'unknown', why: another };
  if (mayFollowANewerMaster(o, master)) {
    return {
      kind: 'unknown',
      why: 'its timelines may come from a newer Master: Consul was not asked since they were found',
    };
  }
  return ancestry(master, o.history.known ? o.history.value : null, o.disk, o.postgres, ownTimelines(o));
}

/**
 * Timelines that this Master was never on show nothing before the key has been read once more: where the same node was promoted anew,
 * PostgreSQL has found the way to it, and its WAL come, while Consul did not answer here.
 */
export function mayFollowANewerMaster(o: Observation, master: MasterValue): boolean {
  return o.timelinesAreNewer === true && strayFrom(promotionOf(o, master), ownTimelines(o)) !== null;
}

/** What the history tells of how this Master began. */
export function promotionOf({ history }: Observation, { term }: MasterValue): HistoryEntry | undefined {
  return history.known ? history.value.promotions.find((promotion) => promotion.term === term) : undefined;
}

/**
 * Why this Master may be another than the one of its term that this node's data comes from: it took the term in an older memory of
 * Consul's. Its WAL would then come over what is of another history, and where both promoted at the same position PostgreSQL
 * would not notice.
 */
function whyAnother({ disk }: Observation, { term, node }: MasterValue): string | null {
  if (disk.dataTerm !== term) return null;
  if (disk.highestTerm > term) return `has seen term ${disk.highestTerm}: term ${term} was taken once more`;
  const { highestTermNode } = disk;
  const isAnothers = disk.highestTerm === term && (highestTermNode ?? '') !== '' && highestTermNode !== node;
  return isAnothers ? `term ${term} was ${highestTermNode ?? ''}'s` : null;
}
