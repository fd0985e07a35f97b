import type { SeedMutation } from './mutation';

const LOCK = 'libs/consul-election/src/lock.ts';

/** Mistakes in the lease: who may hold it, and until when. */
export const LEASE_MUTATIONS: readonly SeedMutation[] = [
  {
    name: "no wait for the predecessor's lease",
    breaks: ['oneWriter'],
    edits: [
      {
        file: 'apps/db-controller/src/act/lock-effects.ts',
        find: 'waitUntil: isCleared(attempt.sight) ? Number.NEGATIVE_INFINITY : predecessorEndsAt(attempt.sight, policy),',
        replace: 'waitUntil: (void isCleared, void predecessorEndsAt, void policy, Number.NEGATIVE_INFINITY),',
      },
    ],
  },
  {
    name: 'the deadline is counted from the answer',
    breaks: ['oneWriter'],
    edits: [
      {
        file: 'libs/consul-election/src/lease-holder.ts',
        find: 'this.record.succeeded(number, result.sentAt, result.modifyIndex)',
        replace: 'this.record.succeeded(number, result.receivedAt, result.modifyIndex)',
      },
    ],
  },
  {
    name: 'the drift margin is 0',
    breaks: ['oneWriter'],
    edits: [
      {
        file: 'libs/failover/src/takeover.ts',
        find: 'return entry.firstSeenAt + policy.leaseDurationMs + policy.driftMarginMs;',
        replace: 'return entry.firstSeenAt + policy.leaseDurationMs;',
      },
    ],
  },
  {
    name: 'plain acquire',
    breaks: ['termOnce', 'oneWriter'],
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
    name: 'plain beat, without check-session',
    breaks: ['oneWriter', 'termOnce'],
    edits: [
      {
        file: LOCK,
        find: 'return [opCheckSession(key, session), opLock(key, value, session), ...also(alsoWrite)];',
        replace: "return [{ verb: 'get' as const, key }, opLock(key, value, session), ...also(alsoWrite)];",
      },
    ],
  },
  {
    name: 'plain release, without check-index',
    breaks: ['freedAfterStop', 'oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: LOCK,
        find: 'return [opCheckSession(key, session), opCheckIndex(key, ownLastIndex), opUnlock(key, value, session)];',
        replace: 'return [opCheckSession(key, session), opUnlock(key, value, session)];',
      },
    ],
  },
  {
    // Each of the three alone keeps a lease from being taken over too early: no rule of a candidate looks at one that runs, it is taken
    // over only after a read that was sent after its end, and who took it waits for that end once more before it promotes.
    name: 'a lease is taken over before it has run out',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'libs/failover/src/candidate-rules.ts',
        find: 'if (entry === null || (entry.session !== null && o.now <= predecessorEndsAt(entry, o.policy))) return null;',
        replace: 'if (entry === null) return null;',
      },
      {
        file: 'libs/failover/src/takeover.ts',
        find: 'return entry.confirmedSentAt !== null && entry.confirmedSentAt > predecessorEndsAt(entry, policy);',
        replace: 'return entry.firstSeenAt > 0 || predecessorEndsAt(entry, policy) < 0;',
      },
      {
        file: 'apps/db-controller/src/act/lock-effects.ts',
        find: 'waitUntil: isCleared(attempt.sight) ? Number.NEGATIVE_INFINITY : predecessorEndsAt(attempt.sight, policy),',
        replace:
          'waitUntil: isCleared(attempt.sight) || attempt.takeOver ? Number.NEGATIVE_INFINITY : predecessorEndsAt(attempt.sight, policy),',
      },
    ],
  },
  {
    name: '`released` by a holder that had not waited out its own predecessor',
    breaks: ['releasedIsCleared', 'oneWriter'],
    edits: [
      {
        file: 'libs/failover/src/ending-rules.ts',
        find: 'released: o.now >= hold.waitUntil,',
        replace: 'released: true,',
      },
    ],
  },
  {
    name: 'failsafe with a member missing',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'apps/db-controller/src/act/peer-effects.ts',
        find: 'const extended = refusals.length === 0 &&',
        replace: 'const extended = refusals.length <= 1 &&',
      },
    ],
  },
  {
    name: 'a new member is asked only after it was listed',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'apps/db-controller/src/act/peer-effects.ts',
        find: 'const all = [...members, ...facts.pendingMembers];',
        replace: 'const all = [...members, ...facts.pendingMembers.slice(0, 0)];',
      },
    ],
  },
  {
    name: 'a promise of failsafe is not kept',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'apps/db-controller/src/tell/answers.ts',
        find: 'disk.promise(receivedAt + policy.leaseDurationMs + policy.driftMarginMs)',
        replace: 'disk.promise(receivedAt)',
      },
    ],
  },
  {
    name: 'a restarted controller goes on with its hold without asking',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'libs/consul-election/src/lease-record.ts',
        find: '    this.provenSinceReopened = false;\n',
        replace: '    this.provenSinceReopened = true;\n    this.end = 1e12;\n',
      },
    ],
  },
  {
    name: 'one session for two holds',
    breaks: ['oneWriter', 'termOnce', 'freedAfterStop', 'releasedIsCleared'],
    edits: [
      {
        file: 'apps/db-controller/src/act/lock-effects.ts',
        find: '  const session = await openSession(parts);\n',
        replace:
          '  const kept = parts as { session?: Session };\n  if (kept.session?.gone !== false) kept.session = await openSession(parts);\n  const { session } = kept;\n',
      },
      {
        file: 'apps/db-controller/src/act/lock-effects.ts',
        find: '    void hold.session.destroy();\n',
        replace: '',
      },
    ],
  },
  {
    name: 'a term is taken again',
    breaks: ['termOnce'],
    edits: [
      {
        file: 'libs/failover/src/candidate-rules.ts',
        find: 'const term = Math.max(entry.value?.term ?? 0, o.disk.highestTerm, o.votedTerm) + 1;',
        replace: 'const term = Math.max(entry.value?.term ?? 0, o.disk.highestTerm, o.votedTerm);',
      },
    ],
  },
  {
    name: 'a member that does not answer is asked for ever',
    breaks: ['endures'],
    edits: [
      {
        file: 'libs/failover/src/ask-again.ts',
        find: 'isAskedAgain(o.votes) || ',
        replace: '',
      },
    ],
  },
];
