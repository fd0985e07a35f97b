import { randomUUID } from 'node:crypto';
import type { PauseValue } from '@ha-postgres/cluster-state';
import { defineCommand } from '../command';
import { errors } from '../errors';
import { readKeys } from '../read/keys';
import { untilNodesSay } from '../until-nodes-say';
import { writeKey } from '../write';

export const pause = defineCommand({
  description: 'nobody takes over, switches over or rejoins any more; heartbeat, lease and fence go on',
  options: {
    why: { type: 'string', default: '', description: 'the reason, for those who read status' },
    wait: { type: 'duration', default: '15s', minimum: 0, description: 'how long to wait until every node knows it' },
    json: { type: 'boolean', default: false, description: 'print the value of the key as JSON' },
  },
  run: async (context, { why, wait, json }) => {
    const { client, keys, terminal, by, signal } = context;
    const { pause: seen } = await readKeys(client, keys, signal);
    if (seen.modifyIndex !== 0) {
      const whose = seen.value === null ? 'what stands there cannot be read' : `by ${seen.value.by}: ${seen.value.why}`;
      throw errors.HAPG_COMMAND_REFUSED(`it is paused already (${whose}); hapg resume ends that`);
    }
    const value: PauseValue = { id: randomUUID(), by, why };
    await writeKey(client, keys.pause, JSON.stringify(value), seen.modifyIndex);
    if (json) terminal.json(value);
    else terminal.print(`Paused: nobody takes over until hapg resume.`);
    await untilNodesSay(context, {
      what: 'that it is paused',
      says: (status) => status.paused,
      wanted: true,
      waitMs: wait,
    });
  },
});
