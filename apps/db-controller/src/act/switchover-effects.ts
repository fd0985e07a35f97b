import { parseNodeStatus } from '@ha-postgres/cluster-state';
import { opDeleteCas } from '@ha-postgres/consul-election';
import type { Effects, SwitchoverTarget } from '@ha-postgres/failover';
import { lagBytes } from '@ha-postgres/lsn';
import { messageOf } from '@ha-postgres/service-kit';
import { failpoint } from '../failpoint';
import type { Parts } from '../parts';
import { makeCheckpoint } from './checkpoint';
import { waitForHolding } from './load-balancers';

const READ_LIMIT_MS = 1000;
/** A server that needs longer for its checkpoint will need about as long for that of its shutdown. */
const CHECKPOINT_LIMIT_MS = 30_000;
/** Who was led here right before its load balancer held the next may still be telling its password. Sessions go on meanwhile. */
const HANDSHAKE_MS = 100;

/** What a Master does that is asked to hand over, up to the stop of its PostgreSQL. */
export function switchoverEffects(parts: Parts): Pick<Effects, 'lookForSuccessors' | 'refuseSwitchover' | 'drain'> {
  const { facts, disk, log, clock } = parts;
  return {
    lookForSuccessors: async ({ id }) => {
      const firstAt = facts.successors?.id === id ? facts.successors.firstAt : clock.now();
      let targets = await lookAtMembers(parts);
      if (targets.some(({ streaming, able }) => streaming && able)) {
        // PostgreSQL writes a checkpoint when it stops, while nobody can write: now there is less left for that.
        await makeCheckpoint(parts, CHECKPOINT_LIMIT_MS);
        targets = await lookAtMembers(parts);
      }
      facts.successors = { id, targets, firstAt, at: clock.now() };
      log.info({ event: 'switchover.looked', id, targets }, `who could succeed, for switchover ${id}`);
    },

    refuseSwitchover: async ({ id, why }) => {
      const term = facts.hold?.facts.term ?? 0;
      disk.update({ switchover: { id, term, state: 'refused', successor: null, why } });
      log.warn({ event: 'switchover.refused', id, why }, `refused switchover ${id}: ${why}`);
      await removeRequest(parts, id);
    },

    drain: async ({ id, successor, why }) => {
      const { hold } = facts;
      if (hold === null) return;
      await failpoint(parts, 'switchover-accepted');
      const { term } = hold.facts;
      disk.update({ switchover: { id, term, state: 'draining', successor, why } });
      const beat = await hold.drain({ id, successor });
      if (!beat.done) throw new Error(`phase draining was not written: ${beat.why}`);
      if (facts.hold === hold) disk.update({ hold: hold.stored });
      log.info({ event: 'switchover.draining', id, successor, why }, `hands over to ${successor}`);
      await failpoint(parts, 'switchover-draining');
      await waitForHolding(parts, beat.modifyIndex);
      await clock.pause(HANDSHAKE_MS);
      facts.drainedFor = id;
    },
  };
}

/** Else the next Master would answer it once more. That it is left there, if Consul does not answer, does no harm. */
async function removeRequest({ client, consul, keys, log }: Parts, id: string): Promise<void> {
  const request = consul.switchover;
  if (request?.value.id !== id) return;
  try {
    await client.transaction([opDeleteCas(keys.switchover, request.modifyIndex)], { timeoutMs: READ_LIMIT_MS });
  } catch (error) {
    log.debug(
      { event: 'switchover.key-left', why: messageOf(error) },
      'the request that was refused is left in its key',
    );
  }
}

/** The other members: what they say of themselves, and how much of this Master's WAL each has on disk. */
async function lookAtMembers(parts: Parts): Promise<readonly SwitchoverTarget[]> {
  const { consul, postgres, self } = parts;
  const members = consul.members.known ? consul.members.value.members : [];
  await postgres.readAnew();
  const others = members.filter(({ node }) => node !== self.node);
  return Promise.all(others.map(({ node }) => lookAt(parts, node)));
}

async function lookAt({ client, keys, postgres }: Parts, node: string): Promise<SwitchoverTarget> {
  const sender = postgres.sight.senders?.find(({ name, streaming }) => name === node && streaming);
  const { entry } = await client.kvGet(keys.status(node), { consistency: 'consistent', timeoutMs: READ_LIMIT_MS });
  const parsed = entry === null ? null : parseNodeStatus(entry.value);
  const status = parsed?.ok === true ? parsed.value : null;
  const own = postgres.sight.lsn;
  const flushed = sender?.flushed ?? null;
  return {
    node,
    streaming: sender !== undefined,
    able: status?.takeover.able ?? false,
    why: status?.takeover.why ?? 'it has not told its status',
    lagBytes: own === null || flushed === null ? Number.MAX_SAFE_INTEGER : lagBytes(own, flushed),
    failoverPriority: status?.tags.failoverPriority ?? 0,
  };
}
