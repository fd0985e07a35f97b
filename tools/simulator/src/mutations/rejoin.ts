import type { SeedMutation } from './mutation';

const ANCESTRY = 'libs/failover/src/ancestry.ts';

/** Mistakes in who may follow whom, and what is given up for it. */
export const REJOIN_MUTATIONS: readonly SeedMutation[] = [
  {
    // The paths of timelines, which name forks as well, would tell two of the same number apart before terms do.
    name: 'rejoining compares timeline numbers only',
    breaks: ['noAlienHistory', 'nothingLost'],
    edits: [
      {
        file: ANCESTRY,
        find: '  if (stray !== null && disk.dataTerm <= master.term) return',
        replace: '  if (stray !== null && disk.dataTerm < 0) return',
      },
      {
        file: ANCESTRY,
        find: "  if (disk.dataTerm === master.term) return { kind: 'ancestor' };\n",
        replace:
          "  const numberOf = (of: number) => history?.promotions.find((one) => one.term === of)?.timeline ?? -of;\n  if (numberOf(disk.dataTerm) === numberOf(master.term)) return { kind: 'ancestor' };\n",
      },
    ],
  },
  {
    name: 'data counts as an ancestor wherever it forked',
    breaks: ['noAlienHistory', 'nothingLost'],
    edits: [{ file: ANCESTRY, find: '  if (lsn <= fork) return', replace: '  if (lsn <= fork || term > 0) return' }],
  },
  {
    // Its data is then taken for older than it is, and for what has left the history: it never becomes a Replica again.
    name: 'a Replica follows before the term of its data is on disk',
    breaks: ['noAlienHistory', 'nothingLost', 'votesCover', 'converges'],
    edits: [
      {
        file: 'libs/failover/src/follow-rules.ts',
        find: '    if (o.disk.dataTerm === master.term) return null;\n    const stood = replayStood(o, memory);',
        replace:
          '    if (o.now > 0 || o.disk.dataTerm === master.term) return null;\n    const stood = replayStood(o, memory);',
      },
    ],
  },
  {
    name: 'what would be lost is given up without asking',
    breaks: ['givenUpWhenAsked'],
    edits: [
      {
        file: 'apps/postgres-runner/src/core/rejoin-choice.ts',
        find: "return beyond !== 0 && !mayLose ? 'refused' : 'replaced';",
        replace: "return beyond !== 0 && mayLose === null ? 'refused' : 'replaced';",
      },
    ],
  },
];
