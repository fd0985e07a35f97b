import { randomUUID } from 'node:crypto';
import type { OverrideValue } from '@ha-postgres/cluster-state';
import { defineCommand } from '../command';
import { errors } from '../errors';
import { planFailover } from '../failover-plan';
import { readCluster } from '../read/reading';
import { untilMasterRuns } from '../until-master-runs';
import { writeKey } from '../write';

export const failover = defineCommand({
  description: 'let a node be promoted although acknowledged commits may be lost: where nobody can take over by itself',
  options: {
    to: { type: 'string', required: true, description: 'the node that is to be Master' },
    acceptDataLoss: { type: 'boolean', default: false, description: 'needed: commits may be lost' },
    why: { type: 'string', required: true, pattern: '\\S', description: 'the reason; it stands in the history' },
    yes: { type: 'boolean', default: false, description: 'do not ask' },
    wait: { type: 'duration', default: '60s', minimum: 0, description: 'how long to wait until it runs as Master' },
    json: { type: 'boolean', default: false, description: 'print the new value of the master key as JSON' },
  },
  run: async (context, { to, acceptDataLoss, why, yes, wait, json }) => {
    const { client, keys, terminal, by, signal } = context;
    const reading = await readCluster(context);
    const plan = planFailover(reading, to);
    if ('refused' in plan) throw errors.HAPG_COMMAND_REFUSED(plan.refused);
    if (!acceptDataLoss)
      throw errors.HAPG_COMMAND_REFUSED([...plan.says, 'Say --accept-data-loss if that is what you want.'].join(' '));
    await terminal.confirm(plan.says, yes, signal);
    const value: OverrideValue = { id: randomUUID(), node: to, afterTerm: plan.afterTerm, by, why };
    await writeKey(client, keys.override, JSON.stringify(value), reading.keys.override.modifyIndex);
    terminal.note(`Written. Waiting until ${to} runs as Master …`);
    const master = await untilMasterRuns(context, { node: to, above: plan.afterTerm, waitMs: wait });
    if (json) terminal.json(master);
    else terminal.print(`${master.node} runs as Master of term ${master.term}.`);
  },
});
