import { firstAnswer } from '@ha-postgres/consul-election';
import type { MasterValue } from '@ha-postgres/cluster-state';
import { messageOf, type Millis } from '@ha-postgres/service-kit';
import type { StoredHold } from '../disk';
import type { Parts } from '../parts';

/**
 * What the former process of this node wrote last in its hold; null: it holds the lock no more, or Consul did not answer until then.
 *
 * Asked before the first beat, which writes over it: PostgreSQL may be dead by now, and then nobody else knows how far its WAL had
 * come. A successor that is told of no position takes over however much it lacks.
 */
export async function whatStands(parts: Parts, stored: StoredHold, until: Millis): Promise<MasterValue | null> {
  const { consul, client, clock, policy, times, log } = parts;
  while (clock.now() < until) {
    const timeoutMs = Math.min(times.heartbeatIntervalMs, until - clock.now());
    const begunAt = clock.now();
    const options = { paths: client.paths(), hedgeAfterMs: policy.unansweredLimitMs, clock };
    const isRead = await firstAnswer(options, (via) => consul.confirmMaster(timeoutMs, via)).then(
      () => true,
      (error: unknown) => {
        log.debug({ event: 'lease.unread', why: messageOf(error) }, 'what stands in the master key could not be read');
        return false;
      },
    );
    if (isRead) return ownValue(parts, stored);
    await clock.pause(Math.max(0, begunAt + timeoutMs - clock.now()));
  }
  return null;
}

function ownValue({ consul }: Parts, { session, term }: StoredHold): MasterValue | null {
  const entry = consul.master.known ? consul.master.value.entry : null;
  return entry?.session === session && entry.value?.term === term ? entry.value : null;
}
