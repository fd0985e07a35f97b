import type { SeedMutation } from './mutation';

const TRANSITION = 'libs/failover/src/sync-transition.ts';
const VOTES = 'libs/failover/src/vote-count.ts';

/**
 * Mistakes that no seed is known to find: other defences may stand behind what they take away, or the simulator lacks a case. They are
 * run only when they are named.
 */
export const NOT_FOUND: readonly SeedMutation[] = [
  {
    // Whoever has left the history is no candidate, however far its WAL reaches.
    name: 'data is compared by position alone, whatever its term',
    breaks: ['nothingLost', 'votesCover', 'boundedLoss', 'noAlienHistory'],
    edits: [
      { file: VOTES, find: '  if (termA !== termB) return termA - termB;\n', replace: '' },
      {
        file: 'libs/failover/src/takeover.ts',
        find: "return judged.kind === 'ancestor' ? null : judged.why;",
        replace: "return judged.kind === 'ancestor' || o.now > 0 ? null : judged.why;",
      },
    ],
  },
  {
    // Probably it takes a process that reads its setting later than two readings of the server, and a commit meanwhile.
    name: 'the rule before goes without evidence that no process applies it',
    breaks: ['nothingLost', 'votesCover'],
    edits: [
      {
        file: TRANSITION,
        find: '  if (rule.k === 0) return null;\n  const counting',
        replace: '  if (rule.k >= 0) return null;\n  const counting',
      },
    ],
  },
  {
    // Probably it takes Replicas of the new rule that lag by more than two readings of the server.
    name: 'the rule before goes before Replicas have all that it covered',
    breaks: ['nothingLost', 'votesCover'],
    edits: [
      {
        file: TRANSITION,
        find: "step: isConfirmed(value, server.senders, progress.mark) ? done : { kind: 'look' }, progress",
        replace: 'step: done, progress',
      },
    ],
  },
  {
    // Probably it takes an old Master that still sends to a Replica which has seen its successor run: a thaw after the votes.
    name: 'the term of the data is recorded while the old upstream still sends',
    breaks: ['noAlienHistory', 'nothingLost', 'votesCover'],
    edits: [
      {
        file: 'libs/failover/src/follow-rules.ts',
        find: "actions: [standsStill(o, stood) ? { type: 'recordDataTerm', term: master.term } : { type: 'readPostgres' }],",
        replace:
          "actions: [o.now > 0 || standsStill(o, stood) ? { type: 'recordDataTerm', term: master.term } : { type: 'readPostgres' }],",
      },
    ],
  },
  {
    // The model's rewind always ends with what the upstream has, and what its WAL lacks beyond the fork it streams: only a real
    // pg_rewind goes wrong.
    name: 'a directory with a timeline of the same number is rewound, or followed with',
    breaks: ['noAlienHistory', 'nothingLost'],
    edits: [
      {
        file: 'apps/postgres-runner/src/core/rejoin-choice.ts',
        find: "if (beyond === 'nothing') return isUsable && !hasTimelineOf && isStray !== true ? 'ancestor' : 'replaced';",
        replace: "if (beyond === 'nothing') return isUsable ? 'ancestor' : 'replaced';",
      },
      {
        file: 'apps/postgres-runner/src/core/rejoin-choice.ts',
        find: "return hasTimelineOf ? 'it has been on a timeline of the same number as the upstream' : null;",
        replace: 'return (void hasTimelineOf, null);',
      },
    ],
  },
];
