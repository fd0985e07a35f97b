import type { HistoryEntry, MembersValue, NodeAddress } from '@ha-postgres/cluster-state';
import {
  forkFrom,
  leftIn,
  overrides,
  syncOf,
  timelineBefore,
  untoldPromotions,
  type Effects,
} from '@ha-postgres/failover';
import { messageOf } from '@ha-postgres/service-kit';
import { failpoint } from '../failpoint';
import type { Parts } from '../parts';
import { checkpointInBackground } from './checkpoint';
import { keptPromotions, withoutTimelines } from './kept-promotions';
import { learn, rereadAfter } from './master-writes';
import type { OwnHold } from './own-hold';
import { makeFirstSlots } from './slot-effects';

/** What a Master writes, each in one transaction with a beat. */
export function runningEffects(parts: Parts): Pick<Effects, 'markRunning' | 'rewriteHistory' | 'writeMembers'> {
  const { facts, consul, keys, disk, log } = parts;
  return {
    markRunning: async ({ term }) => {
      const { hold } = facts;
      if (hold?.facts.term !== term || !consul.history.known) return;
      await failpoint(parts, 'before-running');
      disk.update({ ledTerm: term, dataTerm: term });
      const found = await historyEntry(parts, term);
      void makeFirstSlots(parts, term);
      const known = { promotions: consul.history.value.promotions.filter((old) => old.term !== term) };
      const ofTimelines = timelineHistory(parts, found.timeline);
      const parent = known.promotions.find((old) => old.term === found.parentTerm);
      const left = leftIn(ofTimelines);
      const entry: HistoryEntry = {
        ...found,
        forkLsn: forkFrom(found.forkLsn, parent, ofTimelines, timelineBefore(term, disk.record.led)),
        // A history file that could not be read must not say that there was none before.
        ...(found.timeline === 1 || left.length > 0 ? { left } : {}),
      };
      const untold = untoldPromotions(known, disk.record.led, entry, ofTimelines);
      const older = [...known.promotions, ...untold].map(withoutTimelines);
      const promotions = keptPromotions([...older, entry]);
      const write = { key: keys.history, value: JSON.stringify({ promotions }), modifyIndex: consul.historyIndex };
      const result = await hold.run([write]);
      if (!result.done) return rereadAfter(parts, result);
      learn(parts, result, keys.history, write.value);
      // An answer may come late: what is on disk of a newer hold must stay.
      if (facts.hold === hold) disk.update({ hold: hold.stored });
      log.info({ event: 'role.changed', role: 'Master', ...entry }, `runs as Master of term ${term}`);
      if (hold.facts.predecessor !== null) void checkpointInBackground(parts, term);
    },

    rewriteHistory: async ({ term }) => {
      const { hold } = facts;
      if (hold?.facts.term !== term || !consul.history.known) return;
      const value = JSON.stringify(consul.history.value);
      const result = await hold.write([{ key: keys.history, value, modifyIndex: consul.historyIndex }]);
      if (!result.done) return rereadAfter(parts, result);
      learn(parts, result, keys.history, value);
      log.warn({ event: 'history.rewritten' }, 'what stood in key history could not be read: wrote what it was before');
    },

    writeMembers: async ({ members }) => {
      const { hold } = facts;
      if (hold === null || !consul.members.known) return;
      const { modifyIndex } = consul.members.value;
      const value: MembersValue = { members };
      // Added to those of an earlier write without an answer: that one may still be committed.
      const others = facts.pendingMembers.filter((one) => !members.some(({ node }) => node === one.node));
      awaitMembers(parts, [...members, ...others]);
      await failpoint(parts, 'before-members');
      const write = {
        key: keys.members,
        value: JSON.stringify(value),
        modifyIndex: modifyIndex === 0 ? null : modifyIndex,
      };
      const result = await hold.write([write]);
      if (!result.done) {
        await rereadAfter(parts, result);
        // Without an answer the list may still be written. Where it had changed, what stands has been read, and no earlier write fits it.
        if (result.why === 'changed') awaitMembers(parts, []);
        return;
      }
      learn(parts, result, keys.members, write.value);
      awaitMembers(parts, []);
      log.info({ event: 'members.changed', members: members.map(({ node }) => node) }, 'wrote the list of members');
    },
  };
}

/** On disk as well: the transaction of a controller that ends names a session that the next one goes on with. */
function awaitMembers({ facts, disk }: Parts, members: readonly NodeAddress[]): void {
  facts.pendingMembers = members;
  disk.update({ pendingMembers: members });
}

async function historyEntry(parts: Parts, term: number): Promise<HistoryEntry> {
  const { facts, postgres, self, clock } = parts;
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
    ...reasonOf(parts, hold),
    at: new Date(clock.wallNow()).toISOString(),
    tookMs: Math.round(clock.now() - (hold?.facts.acquiredAt ?? clock.now())),
    ...(isCovered(parts, term) ? { covered: true } : {}),
  };
}

/** Empty where there is none, as on timeline 1, or it cannot be read. */
function timelineHistory({ wal, config, log }: Parts, timeline: number): string {
  try {
    return wal.history?.(config.dataDir, timeline) ?? '';
  } catch (error) {
    log.debug({ event: 'history.unread', why: messageOf(error) }, 'the history of its timeline cannot be read');
    return '';
  }
}

/** Why this node runs; a promotion that answers a switchover names it, whoever was promoted. */
function reasonOf(parts: Parts, hold: OwnHold | null): Pick<HistoryEntry, 'why' | 'switchover'> {
  if (hold?.facts.predecessor == null) return { why: 'bootstrap' };
  const { last, predecessor } = hold.facts;
  const asked = last?.switchover;
  if (asked === undefined) return { why: `took over from term ${predecessor.term}${overrideOf(parts, hold)}` };
  const { id, successor } = asked;
  const { node } = parts.self;
  if (node === successor) return { why: `switchover ${id}${overrideOf(parts, hold)}`, switchover: id };
  const how = node === last?.node ? `switchover ${id} rolled back` : `switchover ${id}`;
  return { why: `${how}: ${successor ?? 'nobody'} did not take over${overrideOf(parts, hold)}`, switchover: id };
}

/** Said by this hold's own first rule. */
function isCovered({ consul, disk }: Parts, term: number): boolean {
  const value = syncOf({ sync: consul.sync, disk: disk.record });
  return value?.term === term && value.covered === true;
}

function overrideOf({ consul, self }: Parts, hold: OwnHold): string {
  const { override } = consul;
  if (override === null || !overrides({ override, self }, hold.facts)) return '';
  return `; override ${override.id} by ${override.by}: ${override.why}`;
}
