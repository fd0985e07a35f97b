import { defineCommand } from '../command';
import { errors } from '../errors';
import { readKeys } from '../read/keys';
import { historyText } from '../show/history';

export const history = defineCommand({
  description: 'show the promotions: when, from which node to which, why, how long',
  options: {
    json: { type: 'boolean', default: false, description: 'print them as JSON' },
    last: { type: 'integer', default: 20, minimum: 1, maximum: 1000, description: 'how many, the newest' },
  },
  run: async ({ client, keys, terminal, signal }, { json, last }) => {
    const { history: seen } = await readKeys(client, keys, signal);
    if (seen.unreadable !== null)
      throw errors.HAPG_COMMAND_REFUSED(`what stands in ${keys.history} cannot be read: ${seen.unreadable}`);
    const promotions = (seen.value?.promotions ?? []).slice(-last);
    if (json) terminal.json(promotions);
    else terminal.print(historyText(promotions));
  },
});
