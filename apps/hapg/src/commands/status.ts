import { pause } from '@ha-postgres/service-kit';
import { adviceOf } from '../advice';
import { defineCommand, type Context } from '../command';
import { pictureOf } from '../picture';
import { readWhatAnswers } from '../read/reading';
import { statusText } from '../show/status';

const EVERY_MS = 1000;

export const status = defineCommand({
  description: 'show the Master and its lease, every node, the load balancers, and what waits for a person',
  options: {
    json: { type: 'boolean', default: false, description: 'print all of it as JSON' },
    watch: { type: 'boolean', default: false, description: 'again every second, until interrupted' },
  },
  run: async (context, { json, watch }) => {
    if (!watch) return tell(context, json, (text) => context.terminal.print(text));
    while (!context.signal.aborted) {
      await tell(context, json, (text) => context.terminal.redraw(text));
      await pause(EVERY_MS, context.signal);
    }
  },
});

async function tell(context: Context, json: boolean, show: (text: string) => void): Promise<void> {
  const picture = pictureOf(await readWhatAnswers(context));
  const advice = adviceOf(picture);
  show(json ? JSON.stringify({ ...picture, advice }, null, 2) : statusText(picture, advice));
}
