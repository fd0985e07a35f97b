import type { Effects } from '@ha-postgres/failover';
import type { Parts } from '../parts';
import { bootstrapEffects } from './bootstrap-effects';
import { lockEffects } from './lock-effects';
import { peerEffects } from './peer-effects';
import { postgresEffects } from './postgres-effects';
import { rejoinEffects } from './rejoin-effects';
import { runningEffects } from './running-effects';
import { syncEffects } from './sync-effects';
import { switchoverEffects } from './switchover-effects';
import { slotEffects } from './slot-effects';

/** One effect for every kind of action. None decides anything. */
export function effectsOf(parts: Parts): Effects {
  const { disk, log, postgres } = parts;
  return {
    ...lockEffects(parts),
    ...bootstrapEffects(parts),
    ...postgresEffects(parts),
    ...runningEffects(parts),
    ...peerEffects(parts),
    ...syncEffects(parts),
    ...switchoverEffects(parts),
    ...rejoinEffects(parts),
    ...slotEffects(parts),
    readPostgres: () => postgres.readAnew(),
    recordDataTerm: async ({ term }) => {
      disk.update({ dataTerm: term });
      await Promise.resolve();
    },
    recordForeignTerm: async ({ term, modifyIndex, syncVersion }) => {
      log.error(
        { event: 'consul.went-back', term, modifyIndex, syncVersion },
        'a member has seen more of Consul than this node: it has lost the lock unheard, or the memory of Consul went back',
      );
      disk.sawByAnother({ term, modifyIndex, syncVersion });
      await Promise.resolve();
    },
    forgetLedTerm: async () => {
      log.info(
        { event: 'data.handed-over', ledTerm: disk.record.ledTerm },
        'stopped cleanly before the new history begins: follows as a Replica',
      );
      disk.update({ ledTerm: null });
      await Promise.resolve();
    },
  };
}
