import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { runWhileLeader } from '@ha-postgres/consul-election';

export const done = runWhileLeader({
  key: 'service/my-app/leader',
  name: hostname(),
  work: async ({ rightEnds, term }) => {
    for (let tick = 1; tick <= 3 && !rightEnds.aborted; tick += 1) {
      process.stdout.write(`leader of term ${term}: tick ${tick}\n`);
      await sleep(100);
    }
  },
});
