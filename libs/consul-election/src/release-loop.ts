import type { ConsulApi } from './api';
import { pause, type Clock, type Millis } from './clock';
import { messageOf } from './errors';
import { release, type WriteResult } from './lock';
import type { Log } from './log';
import { firstAnswer } from './paths';

export type ReleaseOutcome = 'released' | 'refused' | 'unanswered';

export interface ReleaseLoop {
  readonly client: ConsulApi;
  readonly key: string;
  readonly session: string;
  readonly value: string;
  readonly ownLastIndex: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** How long one path may take; then the next is tried, which is safe, as a second release is refused. */
const ATTEMPT_MS = 500;
const PAUSE_MS = 50;

/** What a consistent look at the key says after a refusal. */
type Look =
  { readonly again: true; readonly ownLastIndex: number } | { readonly again: false; readonly outcome: ReleaseOutcome };

/** Releases over one path after the other until an answer settles it or the time is over. */
export async function releaseUntil(loop: ReleaseLoop): Promise<ReleaseOutcome> {
  const until = loop.clock.now() + loop.timeoutMs;
  let ownLastIndex = loop.ownLastIndex;
  for (let attempt = 0; loop.clock.now() < until && loop.signal?.aborted !== true; attempt += 1) {
    const result = await once(loop, ownLastIndex, attempt, until);
    if (result?.done === true) return 'released';
    const look = result === null ? null : await lookAgain(loop, result.why, until);
    if (look?.again === false) return look.outcome;
    if (look !== null) ownLastIndex = look.ownLastIndex;
    else await pause(loop.clock, Math.min(PAUSE_MS, until - loop.clock.now()), loop.signal);
  }
  return 'unanswered';
}

async function once(
  loop: ReleaseLoop,
  ownLastIndex: number,
  attempt: number,
  until: Millis,
): Promise<WriteResult | null> {
  const { client, key, session, value, clock, log } = loop;
  const paths = client.paths();
  const via = paths[attempt % paths.length] ?? 'agent';
  const timeoutMs = Math.min(ATTEMPT_MS, until - clock.now());
  try {
    return await release(client, { key, session, value, ownLastIndex }, { via, timeoutMs, ...signalOf(loop) });
  } catch (error) {
    log.warn({ event: 'lease.release-unanswered', key, via, why: messageOf(error) }, 'a release got no answer');
    return null;
  }
}

const signalOf = ({ signal }: ReleaseLoop): { readonly signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };

// `changed`: a late beat of our own moved the index. `not-held`: lost, or an earlier attempt of ours was committed.
async function lookAgain(loop: ReleaseLoop, why: string, until: Millis): Promise<Look | null> {
  if (why !== 'changed' && why !== 'not-held') return null;
  const { client, key, session, value, clock } = loop;
  const timeoutMs = Math.max(1, until - clock.now());
  try {
    const { entry } = await firstAnswer({ paths: client.paths(), hedgeAfterMs: 300, clock }, (via) =>
      client.kvGet(key, { consistency: 'consistent', via, timeoutMs, ...signalOf(loop) }),
    );
    if (entry?.session === session) return { again: true, ownLastIndex: entry.modifyIndex };
    return { again: false, outcome: entry?.session === null && entry.value === value ? 'released' : 'refused' };
  } catch {
    // Nothing is known but that the last attempt was refused; the next one asks again.
    return null;
  }
}
