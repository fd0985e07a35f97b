import { defineCommand } from '../command';
import { readKeys } from '../read/keys';
import { untilNodesSay } from '../until-nodes-say';
import { deleteKey } from '../write';

export const resume = defineCommand({
  description: 'end a pause',
  options: {
    wait: { type: 'duration', default: '15s', minimum: 0, description: 'how long to wait until every node knows it' },
    json: {
      type: 'boolean',
      default: false,
      description: 'print the pause that was ended as JSON; null: there was none',
    },
  },
  run: async (context, { wait, json }) => {
    const { client, keys, terminal, signal } = context;
    const { pause: seen } = await readKeys(client, keys, signal);
    if (seen.modifyIndex !== 0) await deleteKey(client, keys.pause, seen.modifyIndex);
    if (json) terminal.json(seen.value);
    else
      terminal.print(
        seen.modifyIndex === 0 ? 'It was not paused.' : `Ended the pause of ${seen.value?.by ?? 'unknown'}.`,
      );
    await untilNodesSay(context, {
      what: 'that it goes on',
      says: (status) => status.paused,
      wanted: false,
      waitMs: wait,
    });
  },
});
