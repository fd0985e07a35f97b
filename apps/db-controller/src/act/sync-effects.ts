import type { Effects } from '@ha-postgres/failover';
import type { Parts } from '../parts';
import { makeCheckpoint } from './checkpoint';
import { learn, rereadAfter } from './master-writes';

const READ_TIMEOUT_MS = 1000;
const END_SENDERS = 'SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE pid = ANY($1::int[])';

/** What synchronous replication asks of Consul and of a Master's PostgreSQL. */
export function syncEffects(
  parts: Parts,
): Pick<Effects, 'readSync' | 'writeSync' | 'endSenders' | 'checkpoint' | 'admitClients'> {
  const { facts, consul, keys, disk, postgres, log, clock } = parts;
  return {
    readSync: () => consul.readSync(READ_TIMEOUT_MS),

    writeSync: async ({ value }) => {
      const { hold } = facts;
      if (hold?.facts.term !== value.term || !consul.sync.known) return;
      const write = { key: keys.sync, value: JSON.stringify(value), modifyIndex: consul.syncIndex };
      const result = await hold.write([write]);
      if (!result.done) return rereadAfter(parts, result);
      learn(parts, result, keys.sync, write.value);
      disk.sawSync(value.version);
      log.info({ event: 'sync.changed', ...value }, 'wrote the rule of synchronous replication');
    },

    endSenders: async ({ pids }) => {
      await postgres.connection.query(END_SENDERS, [pids]);
      log.info({ event: 'sync.senders-ended', pids }, 'ended processes that may go by an earlier synchronous rule');
    },

    checkpoint: async () => {
      const beganAt = clock.now();
      if (await makeCheckpoint(parts)) facts.checkpointAt = beganAt;
    },

    admitClients: async ({ term }) => {
      disk.update({ admittedTerm: term });
      log.info({ event: 'sync.clients-admitted', term }, 'synchronous Replicas have everything: lets clients in');
      await Promise.resolve();
    },
  };
}
