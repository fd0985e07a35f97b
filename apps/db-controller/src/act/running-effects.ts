import type { HistoryEntry, MembersValue } from '@ha-postgres/cluster-state';
import type { BeatResult, Written } from '@ha-postgres/consul-election';
import type { Effects } from '@ha-postgres/failover';
import { failpoint } from '../failpoint';
import type { Parts } from '../parts';
import type { HoldFacts } from './own-hold';
import { checkpointInBackground } from './postgres-effects';

/** Promotions that are kept: their terms and forks tell whose data is an ancestor of whose. */
const HISTORY_MAX = 1000;

/** What a Master writes, each in one transaction with a beat. */
export function runningEffects(parts: Parts): Pick<Effects, 'markRunning' | 'writeMembers'> {
  const { facts, consul, keys, disk, log } = parts;
  return {
    markRunning: async ({ term }) => {
      const { hold } = facts;
      if (hold?.facts.term !== term || !consul.history.known) return;
      await failpoint(parts, 'before-running');
      disk.update({ ledTerm: term, dataTerm: term });
      const entry = await historyEntry(parts, term);
      const promotions = [...consul.history.value.promotions.filter((old) => old.term !== term), entry].slice(
        -HISTORY_MAX,
      );
      const write = { key: keys.history, value: JSON.stringify({ promotions }), modifyIndex: consul.historyIndex };
      const result = await hold.run([write]);
      if (!result.done) return rereadAfter(parts, result);
      learn(parts, result, keys.history, write.value);
      disk.update({ hold: hold.stored });
      log.info({ event: 'role.changed', role: 'Master', ...entry }, `runs as Master of term ${term}`);
      if (hold.facts.predecessor !== null) void checkpointInBackground(parts, term);
    },

    writeMembers: async ({ members }) => {
      const { hold } = facts;
      if (hold === null || !consul.members.known) return;
      const { modifyIndex } = consul.members.value;
      const value: MembersValue = { members };
      facts.pendingMembers = members;
      const write = {
        key: keys.members,
        value: JSON.stringify(value),
        modifyIndex: modifyIndex === 0 ? null : modifyIndex,
      };
      const result = await hold.write([write]);
      if (!result.done) {
        await rereadAfter(parts, result);
        // Without an answer the list may still be written; a refused one is not, and what stands has been read.
        if (result.why !== 'unanswered') facts.pendingMembers = [];
        return;
      }
      learn(parts, result, keys.members, write.value);
      facts.pendingMembers = [];
      log.info({ event: 'members.changed', members: members.map(({ node }) => node) }, 'wrote the list of members');
    },
  };
}

/** What was written is known at once, without waiting for the watch. */
function learn({ consul, poke }: Parts, result: Written, key: string, value: string): void {
  const entry = result.entries.find((written) => written.key === key);
  if (entry === undefined) return;
  // Consul returns no values from a transaction's writes.
  const written = { ...entry, value };
  if (key.endsWith('/members')) consul.sawMembers(written, result);
  else consul.sawHistory(written, result);
  poke();
}

/** A refused write leaves the lock as it was; mostly the key had moved. */
async function rereadAfter({ consul, log }: Parts, result: BeatResult): Promise<void> {
  if (result.done || result.why === 'unanswered') return;
  log.warn({ event: 'lease.write-refused', why: result.why }, 'a write beside a beat was refused: reads again');
  await consul.reread();
}

async function historyEntry({ facts, postgres, self, clock }: Parts, term: number): Promise<HistoryEntry> {
  const hold = facts.hold;
  const [row] = await postgres.connection.query<{ fork: string | null }>(
    'SELECT pg_last_wal_replay_lsn()::text AS fork',
  );
  return {
    term,
    parentTerm: hold?.facts.parentTerm ?? 0,
    timeline: postgres.sight.timeline ?? 0,
    forkLsn: row?.fork ?? '0/0',
    node: self.node,
    from: hold?.facts.last?.node ?? null,
    ...reasonOf(self.node, hold?.facts ?? null),
    at: new Date(clock.wallNow()).toISOString(),
    tookMs: Math.round(clock.now() - (hold?.facts.acquiredAt ?? clock.now())),
  };
}

/** Why this node runs; a promotion that answers a switchover names it, whoever was promoted. */
function reasonOf(node: string, hold: HoldFacts | null): Pick<HistoryEntry, 'why' | 'switchover'> {
  const { last = null, predecessor = null } = hold ?? {};
  const asked = last?.switchover;
  if (asked === undefined) {
    return { why: predecessor === null ? 'bootstrap' : `took over from term ${predecessor.term}` };
  }
  const { id, successor } = asked;
  if (node === successor) return { why: `switchover ${id}`, switchover: id };
  const how = node === last?.node ? `switchover ${id} rolled back` : `switchover ${id}`;
  return { why: `${how}: ${successor ?? 'nobody'} did not take over`, switchover: id };
}
