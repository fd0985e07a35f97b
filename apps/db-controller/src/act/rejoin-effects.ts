import type { Effects } from '@ha-postgres/failover';
import { opDeleteCas } from '@ha-postgres/consul-election';
import { messageOf } from '@ha-postgres/service-kit';
import type { RejoinLeave } from '../facts';
import type { Parts } from '../parts';

type RejoinEffects = Pick<
  Effects,
  'recordDeadMaster' | 'readmitData' | 'recordRejoining' | 'finishRejoin' | 'forgetData'
>;

/** What a node that left the Master's history must not forget, and when it may. */
export function rejoinEffects(parts: Parts): RejoinEffects {
  const { disk, facts, consul, log } = parts;
  return {
    recordDeadMaster: async () => {
      log.warn(
        { event: 'role.changed', role: 'DeadMaster' },
        'another node ran as Master after this one: PostgreSQL stays down until its data can follow',
      );
      disk.update({ deadMaster: true });
      await Promise.resolve();
    },

    readmitData: async () => {
      const { dataTerm } = disk.record;
      const override = consul.override?.id;
      log.warn(
        { event: 'rejoin.not-needed', dataTerm, override },
        'an administrator lets this node take over: the cluster is to go on with its data as it is',
      );
      disk.update({ deadMaster: false, rejoining: null });
      await Promise.resolve();
    },

    recordRejoining: async ({ term }) => {
      log.warn({ event: 'rejoin.needed', term, dataTerm: disk.record.dataTerm }, 'the data cannot follow as it is');
      disk.update({ rejoining: term });
      await Promise.resolve();
    },

    /** In one write: the term of the data is there before anything trusts the data again. */
    finishRejoin: async ({ term }) => {
      const { dataTerm, deadMaster } = disk.record;
      const report = facts.runner.known ? facts.runner.value : null;
      const leave = facts.rejoinLeave;
      disk.update({
        dataTerm: term,
        ledTerm: null,
        led: [],
        deadMaster: false,
        rejoining: null,
        ...(leave === null ? {} : { usedRejoin: leave.id }),
      });
      const fields = { term, dataTerm, deadMaster, how: report?.rejoined?.how, divergence: report?.divergence };
      log.info(
        { event: 'rejoin.finished', ...fields, leave: leave?.id ?? null },
        `rejoined the Master of term ${term}`,
      );
      if (leave !== null) await removeLeave(parts, leave);
    },

    forgetData: async () => {
      log.info({ event: 'data.emptied' }, 'the data directory is empty: what was known of its data is forgotten');
      // A leave that was not needed is used up as well: it was given for the data that is gone.
      const leave = facts.rejoinLeave;
      const used = leave === null ? {} : { usedRejoin: leave.id };
      disk.update({ dataTerm: 0, ledTerm: null, led: [], deadMaster: false, rejoining: null, ...used });
      if (leave !== null) await removeLeave(parts, leave);
    },
  };
}

/** It has served, and is remembered as used: that it is left there, if Consul does not answer, does no harm. */
async function removeLeave({ client, keys, self, facts, log }: Parts, { modifyIndex }: RejoinLeave): Promise<void> {
  facts.rejoinLeave = null;
  try {
    await client.transaction([opDeleteCas(keys.rejoin(self.node), modifyIndex)], { timeoutMs: 1000 });
  } catch (error) {
    log.debug({ event: 'rejoin.key-left', why: messageOf(error) }, 'the key that allowed it could not be removed');
  }
}
