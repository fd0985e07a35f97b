import type { MasterValue } from '@ha-postgres/cluster-state';
import { monotonicNow, pause } from '@ha-postgres/service-kit';
import type { Context } from './command';
import { errors } from './errors';
import { nameOf, readCluster } from './read/reading';

const EVERY_MS = 250;

/**
 * Waits until a node holds the lock and runs, in a term above a given one.
 * @throws CodedError HAPG_COMMAND_UNANSWERED with what the node says of itself
 */
export async function untilMasterRuns(
  context: Context,
  { node, above, waitMs }: { readonly node: string; readonly above: number; readonly waitMs: number },
): Promise<MasterValue> {
  const until = monotonicNow() + waitMs;
  for (;;) {
    const { keys, answers } = await readCluster(context);
    const { value, session } = keys.master;
    if (value?.node === node && value.phase === 'running' && value.term > above && session !== null) return value;
    if (monotonicNow() >= until) {
      const answer = answers.find((one) => nameOf(one) === node);
      const says =
        answer?.kind === 'answered' ? `${answer.status.rule}; ${answer.status.takeover.why}` : 'it does not answer';
      throw errors.HAPG_COMMAND_UNANSWERED(`${node} does not run as Master after ${waitMs} ms: ${says}`);
    }
    await pause(EVERY_MS, context.signal);
    context.signal.throwIfAborted();
  }
}
