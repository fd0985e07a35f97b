import type { Mutation } from './mutation';

const LOCK = 'libs/consul-election/src/lock.ts';
const TAKEOVER = 'libs/failover/src/takeover.ts';
const PEERS = 'apps/db-controller/src/act/peer-effects.ts';

/** Mistakes that were possible; each must be found, or the exploration could not find the like of it either. */
export const LEASE_MUTATIONS: readonly Mutation[] = [
  {
    name: "no wait for the predecessor's lease",
    configuration: 'takeover',
    edits: [
      {
        file: 'libs/failover/src/holder-rules.ts',
        find: 'o.now < hold.waitUntil ?',
        replace: 'o.now < hold.waitUntil - Infinity ?',
      },
    ],
  },
  {
    name: 'the drift margin is 0',
    configuration: 'takeover',
    edits: [
      {
        file: TAKEOVER,
        find: 'return entry.firstSeenAt + policy.leaseDurationMs + policy.driftMarginMs;',
        replace: 'return entry.firstSeenAt + policy.leaseDurationMs;',
      },
    ],
  },
  {
    name: 'the deadline is counted from the answer',
    configuration: 'answers',
    edits: [
      {
        file: LOCK,
        find: '    entries: [after, ...others],\n    sentAt,',
        replace: '    entries: [after, ...others],\n    sentAt: receivedAt,',
      },
    ],
  },
  {
    name: 'plain acquire: not of the value that was decided on',
    configuration: 'takeover',
    edits: [
      {
        file: LOCK,
        find: '    guard({ key, modifyIndex: decidedOn?.modifyIndex ?? null }),\n    ...unchanged.map(guard),\n    ...(takeOver && decidedOn !== null ? [opDeleteCas(key, decidedOn.modifyIndex)] : []),',
        replace:
          "    ...unchanged.map(guard),\n    ...(takeOver && decidedOn !== null ? [{ verb: 'delete' as const, key }] : []),",
      },
    ],
  },
  {
    name: 'plain beat: without check-session',
    configuration: 'answers',
    edits: [
      {
        file: LOCK,
        find: 'return [opCheckSession(key, session), opLock(key, value, session), ...also(alsoWrite)];',
        replace: 'return [opLock(key, value, session), opLock(key, value, session), ...also(alsoWrite)];',
      },
    ],
  },
  {
    name: 'plain release: without check-index',
    configuration: 'restarts',
    edits: [
      {
        file: LOCK,
        find: 'return [opCheckSession(key, session), opCheckIndex(key, ownLastIndex), opUnlock(key, value, session)];',
        replace: 'return [opCheckSession(key, session), opUnlock(key, value, session)];',
      },
    ],
  },
  {
    name: 'the lock is released before PostgreSQL has stopped',
    configuration: 'release',
    edits: [
      {
        file: 'libs/failover/src/ending-rules.ts',
        find: 'o.hold !== null && memory.ending?.stops === true && !isStopped(o) ?',
        replace: 'o.hold === null && memory.ending?.stops === true && !isStopped(o) ?',
      },
    ],
  },
  {
    name: '`released` by a holder that had not waited out its own predecessor',
    configuration: 'candidates',
    edits: [
      {
        file: 'libs/failover/src/ending-rules.ts',
        find: 'released: o.now >= hold.waitUntil,',
        replace: 'released: true,',
      },
    ],
  },
  {
    name: 'the members are not looked at when the lock is acquired',
    configuration: 'members',
    edits: [
      { file: LOCK, find: '    ...unchanged.map(guard),\n', replace: '    ...unchanged.slice(0, 0).map(guard),\n' },
    ],
  },
  {
    name: 'failsafe with a member missing',
    configuration: 'failsafe',
    edits: [
      {
        file: PEERS,
        find: 'const extended = refusals.length === 0 &&',
        replace: 'const extended = refusals.length <= 1 &&',
      },
    ],
  },
  {
    name: 'a new member is asked only after it was listed',
    configuration: 'members',
    edits: [
      {
        file: PEERS,
        find: 'const all = [...members, ...facts.pendingMembers];',
        replace: 'const all = [...members, ...facts.pendingMembers.slice(0, 0)];',
      },
    ],
  },
  {
    name: 'a promise does not outlive the controller that gave it',
    configuration: 'failsafe',
    edits: [
      {
        file: 'apps/db-controller/src/disk.ts',
        find: 'return { ...emptyState(this.node), ...found, promise };',
        replace: 'return { ...emptyState(this.node), ...found, promise: promise === null ? null : null };',
      },
    ],
  },
  {
    name: 'a promise counts from nothing',
    configuration: 'failsafe',
    edits: [
      {
        file: 'apps/db-controller/src/tell/answers.ts',
        find: 'disk.promise(receivedAt + policy.leaseDurationMs + policy.driftMarginMs)',
        replace: 'disk.promise(receivedAt)',
      },
    ],
  },
  {
    name: 'failsafe revives a lease that has ended',
    configuration: 'failsafe',
    edits: [
      {
        file: 'libs/consul-election/src/lease-record.ts',
        find: 'if (this.lostWhy !== null || this.closed || now >= this.end) return false;',
        replace: 'if (this.closed) return false;',
      },
    ],
  },
];
