import { defineCommand } from '../command';
import { errors } from '../errors';
import { planBootstrap } from '../bootstrap-plan';
import { readCluster } from '../read/reading';
import { untilMasterRuns } from '../until-master-runs';

export const bootstrap = defineCommand({
  description: "make the keys anew after Consul's data was lost, or an old snapshot restored, and name the Master",
  options: {
    from: { type: 'string', required: true, description: 'the node whose data counts; hapg status ranks them' },
    unreachableAreDown: {
      type: 'boolean',
      default: false,
      description: 'you have made sure that no PostgreSQL runs on the nodes that do not answer',
    },
    acceptDataLoss: { type: 'boolean', default: false, description: 'although another node has newer data' },
    yes: { type: 'boolean', default: false, description: 'do not ask' },
    wait: { type: 'duration', default: '60s', minimum: 0, description: 'how long to wait until it runs as Master' },
    json: { type: 'boolean', default: false, description: 'print the new value of the master key as JSON' },
  },
  run: async (context, { from, unreachableAreDown, acceptDataLoss, yes, wait, json }) => {
    const { client, keys, terminal, by, signal } = context;
    const plan = planBootstrap(keys, await readCluster(context), { from, by, unreachableAreDown, acceptDataLoss });
    if ('refused' in plan) throw errors.HAPG_COMMAND_REFUSED(plan.refused);
    await terminal.confirm(plan.says, yes, signal);
    const result = await client.transaction(plan.operations);
    if (!result.committed) {
      const what = result.errors.map((error) => error.what).join('; ');
      throw errors.HAPG_COMMAND_OVERTAKEN(
        `a key was written by somebody else in between, and nothing was changed: ${what}`,
      );
    }
    terminal.note(`The keys are made anew. Waiting until ${from} runs as Master …`);
    const master = await untilMasterRuns(context, { node: from, above: plan.term, waitMs: wait });
    if (json) terminal.json(master);
    else terminal.print(`${master.node} runs as Master of term ${master.term}.`);
  },
});
