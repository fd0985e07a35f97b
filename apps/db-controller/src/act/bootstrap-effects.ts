import {
  opCas,
  opCheckIndex,
  opCheckNotExists,
  opCheckSession,
  opLock,
  opSet,
  opUnlock,
  type Session,
  type TxnOperation,
} from '@ha-postgres/consul-election';
import type { Effects } from '@ha-postgres/failover';
import type { Parts } from '../parts';
import { firstValue, holdOptions, openSession } from './lock-effects';
import { OwnHold, type HoldFacts } from './own-hold';

/** Not a claim that was made since by another session: nobody would hold it, and it would be renewed for ever. */
function unclaim({ facts }: Parts, session: Session): void {
  if (facts.claim?.session === session) facts.claim = null;
}

/** How a cluster begins: the lock on `initialize`, then one transaction that makes its creator the first Master. */
export function bootstrapEffects(
  parts: Parts,
): Pick<Effects, 'lockInitialize' | 'finishBootstrap' | 'restoreInitialize'> {
  const { client, keys, self, facts, disk, consul, log, clock } = parts;
  return {
    lockInitialize: async () => {
      if (facts.nameInDoubt || !consul.initialize.known || facts.claim !== null) return;
      const { modifyIndex } = consul.initialize.value;
      const session = await openSession(parts, () => {
        unclaim(parts, session);
        parts.poke();
      });
      const claim = JSON.stringify({ node: self.node, systemId: null });
      const unclaimed =
        modifyIndex === null ? opCheckNotExists(keys.initialize) : opCheckIndex(keys.initialize, modifyIndex);
      const result = await client
        .transaction([unclaimed, opLock(keys.initialize, claim, session.id)])
        .catch(() => null);
      // The last: a check of the index answers with the key as it was before.
      const entry =
        result?.committed === true ? result.entries.findLast(({ key }) => key === keys.initialize) : undefined;
      if (entry === undefined) await session.destroy();
      else facts.claim = { session, modifyIndex: entry.modifyIndex };
      log.info({ event: 'bootstrap.claim', claimed: entry !== undefined }, 'asked to be the creator of the cluster');
    },

    restoreInitialize: async ({ systemId, over }) => {
      const value = JSON.stringify({ node: self.node, systemId });
      const result = await client.transaction([opCas(keys.initialize, value, over)]);
      log.warn(
        { event: 'bootstrap.restored', systemId, written: result.committed },
        'Consul knew of no cluster, though this node holds the data of one: wrote its identifier, so that no other is made',
      );
    },

    finishBootstrap: async ({ systemId }) => {
      if (facts.claim === null) return;
      const { session, modifyIndex } = facts.claim;
      const holdFacts: HoldFacts = {
        term: 1,
        acquiredAt: clock.now(),
        waitUntil: Number.NEGATIVE_INFINITY,
        predecessor: null,
        last: null,
        parentTerm: 0,
      };
      const hold = new OwnHold(holdFacts, session, holdOptions(parts));
      // Its data is the first term's, whatever comes of this hold: nobody else has any.
      disk.update({ hold: hold.stored, dataTerm: 1 });
      const operations: TxnOperation[] = [
        // A node with data may have said since the claim that there is a cluster already.
        opCheckIndex(keys.initialize, modifyIndex),
        opCheckSession(keys.initialize, session.id),
        opUnlock(keys.initialize, JSON.stringify({ node: self.node, systemId }), session.id),
        opSet(keys.members, JSON.stringify({ members: [self] })),
        opCheckNotExists(keys.master),
        opLock(keys.master, JSON.stringify(firstValue(parts, holdFacts)), session.id),
      ];
      const result = await client.transaction(operations);
      unclaim(parts, session);
      const entry = result.committed ? result.entries.find(({ key }) => key === keys.master) : undefined;
      if (!result.committed || entry === undefined) {
        log.warn(
          { event: 'bootstrap.refused', errors: result.committed ? [] : result.errors },
          'the bootstrap did not come to pass',
        );
        await session.destroy();
        disk.update({ hold: null, dataTerm: 0 });
        return;
      }
      disk.saw(1, entry.modifyIndex, self.node);
      facts.hold = hold;
      hold.start({ sentAt: result.sentAt, modifyIndex: entry.modifyIndex });
      log.info({ event: 'bootstrap.done', systemId }, 'made the cluster; this node is its first Master');
    },
  };
}
