import type { NodeStatus } from '@ha-postgres/cluster-state';
import { monotonicNow, pause } from '@ha-postgres/service-kit';
import type { Context } from './command';
import { errors } from './errors';
import { nameOf, readCluster } from './read/reading';

const EVERY_MS = 250;

export interface Said {
  readonly what: string;
  /** Undefined: a node of an older version, which does not say. */
  readonly says: (status: NodeStatus) => boolean | undefined;
  readonly wanted: boolean;
  readonly waitMs: number;
}

/**
 * Waits until every node that answers says so: a key takes effect when a node has read it. Nodes that do not answer are named.
 * @throws CodedError HAPG_COMMAND_UNANSWERED naming those that have not said it in time.
 */
export async function untilNodesSay(context: Context, { what, says, wanted, waitMs }: Said): Promise<void> {
  const until = monotonicNow() + waitMs;
  for (;;) {
    const { answers } = await readCluster(context);
    const missing = answers
      .filter((answer) => answer.kind === 'answered' && says(answer.status) === !wanted)
      .map(nameOf);
    const silent = answers.filter(({ kind }) => kind !== 'answered').map(nameOf);
    if (missing.length === 0) {
      if (silent.length > 0) context.terminal.note(`No answer from ${silent.join(', ')}: they may not know it yet.`);
      return;
    }
    if (monotonicNow() >= until)
      throw errors.HAPG_COMMAND_UNANSWERED(
        `it is written, but ${missing.join(', ')} did not say ${what} within ${waitMs} ms`,
      );
    await pause(EVERY_MS, context.signal);
    context.signal.throwIfAborted();
  }
}
