import { FailureThreshold, type ThresholdVerdict } from './failure-threshold';
import type { ServerState } from './server-state';

export interface ReplicationVerdict extends ThresholdVerdict {
  /** Why the last look found no streaming, or null if it did. */
  readonly why: string | null;
}

/** Says why a server does not stream from another, or null if it does. */
export function whyNotStreaming(state: ServerState): string | null {
  if (!state.inRecovery) return 'the server is out of recovery';
  if (state.walReceiver !== null) {
    return state.walReceiver.status === 'streaming' ? null : `the WAL receiver is ${state.walReceiver.status}`;
  }
  return state.walReceiverBackends > 0 ? 'the WAL receiver is connecting' : 'no WAL receiver runs';
}

/**
 * The standby replication check: a Replica is healthy while its WAL receiver is `streaming`, and failing after `limit`
 * looks in a row that found it otherwise.
 */
export class ReplicationCheck {
  readonly #threshold: FailureThreshold;

  /** @throws RangeError if `limit` is not a whole number of at least 1. */
  constructor(limit: number) {
    this.#threshold = new FailureThreshold(limit);
  }

  record(state: ServerState): ReplicationVerdict {
    const why = whyNotStreaming(state);
    return { ...this.#threshold.record(why === null), why };
  }

  /** Counts a look that gave no state at all. */
  recordUnknown(why: string): ReplicationVerdict {
    return { ...this.#threshold.record(false), why };
  }
}
