import type { SeedMutation } from './mutation';

/** Mistakes in what a node does with its PostgreSQL. */
export const NODE_MUTATIONS: readonly SeedMutation[] = [
  {
    name: 'release before stop',
    breaks: ['freedAfterStop'],
    edits: [
      {
        file: 'libs/failover/src/ending-rules.ts',
        find: "  if (o.published?.instruction.kind !== 'stop') return false;\n",
        replace: "  if (o.published?.instruction.kind !== 'stop') return true;\n  if (o.now > 0) return true;\n",
      },
    ],
  },
  {
    name: 'validity as a duration from receipt',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'apps/postgres-runner/src/runner.ts',
        find: 'this.#memory = accept(this.#memory, answer);',
        replace:
          'this.#memory = accept(this.#memory, { ...answer, validUntil: String(Math.round((this.#now() + 2300) * 1e6)) });',
      },
    ],
  },
  {
    // Two rules of its plan do: the deadline itself, and that a PostgreSQL out of recovery needs a valid answer.
    name: 'the runner does not fence at its deadline',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'apps/postgres-runner/src/core/stop-rules.ts',
        find: '  isDeadlinePassed(facts.memory, facts.now)\n    ?',
        replace: '  isDeadlinePassed(facts.memory, facts.now - 1e9)\n    ?',
      },
      {
        file: 'apps/postgres-runner/src/core/stop-rules.ts',
        find: 'isValidLead(memory.answer, now)) return null;',
        replace: 'isValidLead(memory.answer, now - 1e9)) return null;',
      },
    ],
  },
  {
    name: 'the runner lets a PostgreSQL out of recovery go on',
    breaks: ['oneWriter', 'releasedIsCleared', 'freedAfterStop'],
    edits: [
      {
        file: 'apps/postgres-runner/src/core/stop-rules.ts',
        find: 'if (postgres === null || postgres.inRecovery || facts.killing) return null;',
        replace: 'if (postgres === null || facts.now > 0 || postgres.inRecovery || facts.killing) return null;',
      },
    ],
  },
  {
    name: 'no second fence',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'libs/failover/src/ending-rules.ts',
        find: "actions: overdue ? [{ type: 'killPostgres' }] : [],",
        replace: 'actions: overdue ? [] : [],',
      },
    ],
  },
  {
    name: 'a paused machine goes on',
    breaks: ['oneWriter', 'releasedIsCleared'],
    edits: [
      {
        file: 'apps/db-controller/src/observe/clock-jump.ts',
        find: 'if (Math.abs(offset - this.offset) > this.marginMs) this.seen = true;',
        replace: 'if (Math.abs(offset - this.offset) > 1e12 * this.marginMs) this.seen = true;',
      },
    ],
  },
];
