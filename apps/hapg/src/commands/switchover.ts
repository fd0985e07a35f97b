import { randomUUID } from 'node:crypto';
import type { SwitchoverValue } from '@ha-postgres/cluster-state';
import { monotonicNow, pause } from '@ha-postgres/service-kit';
import { defineCommand, type Context } from '../command';
import { errors } from '../errors';
import { nameOf, readCluster, type Reading } from '../read/reading';
import { switchoverOutcome, type Asked } from '../switchover-outcome';
import { writeKey } from '../write';

const EVERY_MS = 200;

export const switchover = defineCommand({
  description: 'the Master hands over to another node: nothing is lost, clients wait a moment',
  options: {
    to: { type: 'string', optional: true, description: 'the node that is to be Master; default: the best Replica' },
    from: {
      type: 'string',
      optional: true,
      description: 'only if this node is the Master; else nothing is done (for a node that is about to stop)',
    },
    yes: { type: 'boolean', default: false, description: 'do not ask' },
    wait: { type: 'duration', default: '60s', minimum: 0, description: 'how long to wait for the outcome' },
    json: { type: 'boolean', default: false, description: 'print the promotion as JSON' },
  },
  run: async (context, { to, from, yes, wait, json }) => {
    const { client, keys, terminal, by, signal } = context;
    const reading = await readCluster(context);
    if (from !== undefined && holderIn(reading) !== from) {
      terminal.print(`${from} is not the Master: there is nothing to hand over.`);
      return;
    }
    const master = masterToAsk(reading, to ?? null);
    await terminal.confirm(
      [`${master.node} (Master of term ${master.term}) hands over to ${to ?? 'the best Replica'}.`],
      yes,
      signal,
    );
    const value: SwitchoverValue & { readonly by: string } = {
      id: randomUUID(),
      from: master.node,
      to: to ?? null,
      by,
    };
    await writeKey(client, keys.switchover, JSON.stringify(value), reading.keys.switchover.modifyIndex);
    const promotion = await follow(context, { id: value.id, from: master.node, term: master.term }, wait);
    if (json) terminal.json(promotion);
    else
      terminal.print(
        `${promotion.node} is Master of term ${promotion.term}, after ${Math.round(promotion.tookMs)} ms.`,
      );
  },
});

function holderIn({ keys: { master } }: Reading): string | null {
  return master.session === null ? null : (master.value?.node ?? null);
}

/** What can be told without asking the Master, which judges everything else. */
function masterToAsk({ keys, answers }: Reading, to: string | null): { readonly node: string; readonly term: number } {
  const { value, session } = keys.master;
  if (value === null || session === null || value.phase !== 'running')
    throw errors.HAPG_COMMAND_REFUSED('there is no Master that runs: see hapg status');
  if (keys.pause.modifyIndex !== 0)
    throw errors.HAPG_COMMAND_REFUSED(
      `the cluster is paused (by ${keys.pause.value?.by ?? 'unknown'}): hapg resume first`,
    );
  if (to === value.node) throw errors.HAPG_COMMAND_REFUSED(`${to} is the Master already`);
  if (to !== null && !answers.some((answer) => nameOf(answer) === to))
    throw errors.HAPG_COMMAND_REFUSED(
      `no node ${JSON.stringify(to)} is known: there are ${answers.map(nameOf).join(', ')}`,
    );
  return value;
}

async function follow(context: Context, asked: Asked, waitMs: number) {
  const until = monotonicNow() + waitMs;
  for (;;) {
    const outcome = switchoverOutcome(asked, await readCluster(context));
    if (outcome.kind === 'done') return outcome.promotion;
    if (outcome.kind === 'refused') throw errors.HAPG_COMMAND_REFUSED(outcome.why);
    if (monotonicNow() >= until)
      throw errors.HAPG_COMMAND_UNANSWERED(`switchover ${asked.id} has no outcome after ${waitMs} ms: ${outcome.what}`);
    await pause(EVERY_MS, context.signal);
    context.signal.throwIfAborted();
  }
}
