import { parseLbStatus } from '@ha-postgres/cluster-state';
import { messageOf, type Millis } from '@ha-postgres/service-kit';
import type { Parts } from '../parts';

/** One that does not say by then that it holds its clients, refuses some. */
const HOLDING_LIMIT_MS = 200;
const POLL_MS = 5;

/**
 * Waits until every load balancer that lives holds its new clients, having applied at least `index` of the key: 200 ms at most,
 * since clients may be waiting at another already. What a load balancer says is gone with its session, so none is waited for
 * that is dead.
 */
export async function waitForHolding(parts: Parts, index: number): Promise<void> {
  const { clock, log } = parts;
  const startedAt = clock.now();
  const until = startedAt + HOLDING_LIMIT_MS;
  let waitedFor: readonly string[] = [parts.keys.loadBalancers];
  do {
    // The last question has little time left: without an answer to it, the one before holds.
    waitedFor = (await notHolding(parts, index, until - clock.now())) ?? waitedFor;
    if (waitedFor.length > 0) await clock.pause(POLL_MS);
  } while (waitedFor.length > 0 && clock.now() < until);
  const tookMs = Math.round(clock.now() - startedAt);
  if (waitedFor.length === 0) log.info({ event: 'switchover.clients-held', tookMs }, 'all load balancers hold clients');
  else log.warn({ event: 'switchover.clients-not-held', waitedFor, tookMs }, 'not all load balancers hold clients');
}

/** The names of those that do not hold yet, and could; null: Consul did not say. */
async function notHolding(
  { client, keys, log }: Parts,
  index: number,
  limitMs: Millis,
): Promise<readonly string[] | null> {
  try {
    const { entries } = await client.kvList(keys.loadBalancers, {
      consistency: 'consistent',
      timeoutMs: Math.max(1, limitMs),
    });
    return entries.flatMap(({ key, value, session }) => {
      const parsed = parseLbStatus(value);
      if (session === null || !parsed.ok || parsed.value.canHold === false) return [];
      return parsed.value.holding && parsed.value.appliedIndex >= index ? [] : [key];
    });
  } catch (error) {
    log.debug({ event: 'switchover.load-balancers-unknown', why: messageOf(error) }, 'could not ask for them');
    return null;
  }
}
