import type { SeedMutation } from './mutation';

const SETS = 'libs/failover/src/sync-set.ts';
const TRANSITION = 'libs/failover/src/sync-transition.ts';
const VOTES = 'libs/failover/src/vote-count.ts';

/** Mistakes in what makes an acknowledged write safe: votes, and the rules by which they count. */
export const SYNC_MUTATIONS: readonly SeedMutation[] = [
  {
    name: 'a vote is given before the receiver has stopped',
    breaks: ['nothingLost', 'votesCover'],
    edits: [
      {
        file: 'apps/db-controller/src/tell/answers.ts',
        find: 'const obstacle = await stopReceiving(this.parts, until).catch((error: unknown) => messageOf(error));',
        replace: 'const obstacle = (void stopReceiving, void until, void messageOf, null as string | null);',
      },
    ],
  },
  {
    name: 'a vote is not kept: the voter goes on receiving',
    breaks: ['nothingLost', 'votesCover'],
    edits: [
      {
        file: 'libs/failover/src/takeover.ts',
        find: '  if (o.votedTerm === 0) return false;\n',
        replace: '  if (o.votedTerm >= 0) return false;\n',
      },
      {
        file: 'apps/db-controller/src/tell/answers.ts',
        find: 'const obstacle = await stopReceiving(this.parts, until).catch((error: unknown) => messageOf(error));',
        replace: 'const obstacle = (void stopReceiving, void until, void messageOf, null as string | null);',
      },
    ],
  },
  {
    name: 'one vote fewer is enough',
    breaks: ['nothingLost', 'votesCover'],
    edits: [{ file: SETS, find: 'names.length - k + 1', replace: 'names.length - k' }],
  },
  {
    // Else it is let go first, as in asynchronous operation, or streamed from.
    name: 'a voter with newer data is passed over',
    breaks: ['nothingLost', 'votesCover'],
    edits: [
      {
        file: VOTES,
        find: 'return position !== null && compareData(position, own) > 0;',
        replace: 'return position !== null && compareData(position, own) > 1e15;',
      },
      {
        file: 'libs/failover/src/takeover.ts',
        find: 'return byPosition > 0 || (byPosition === 0 &&',
        replace: 'return byPosition > 1e15 || (byPosition === 0 &&',
      },
    ],
  },
  {
    // A holder's rule, what its runner is told, what a standby has anyway, and the look right before the promotion: each alone may go.
    name: 'names after promotion',
    breaks: ['nothingLost', 'votesCover'],
    edits: [
      {
        file: 'libs/failover/src/sync-rules.ts',
        find: 'if (isBootstrap(hold) || o.postgres.inRecovery !== true) return null;',
        replace: 'if (o.now > 0 || isBootstrap(hold)) return null;',
      },
      {
        file: 'libs/failover/src/sync-view.ts',
        find: 'const names = value == null ? {} :',
        replace: "const names = value == null || hold.phase !== 'running' ? { synchronousStandbyNames: '' } :",
      },
      {
        file: 'libs/failover/src/decide.ts',
        find: "if (instruction.kind !== 'follow' || policy.sync.mode === 'async') return instruction;",
        replace: "if (instruction.kind !== 'nothing' || policy.sync.mode === 'async') return instruction;",
      },
      {
        file: 'apps/db-controller/src/act/settings-in-place.ts',
        find: 'if (shown?.names !== names || shown.admits !== admits) {',
        replace: 'if (shown?.admits !== admits) {',
      },
    ],
  },
  {
    name: 'the key forgets the rule before at once',
    breaks: ['nothingLost', 'votesCover'],
    edits: [
      {
        file: TRANSITION,
        find: "previous: rule.k === 0 && rule.mode !== 'async' ? null : remaining()",
        replace: 'previous: (void remaining, null)',
      },
    ],
  },
];
