import { randomUUID } from 'node:crypto';
import type { RejoinValue } from '@ha-postgres/cluster-state';
import { monotonicNow, pause } from '@ha-postgres/service-kit';
import { heldBeyond, isBlocked, waitsForConsent, whyBlocked } from '../blocked';
import { defineCommand, type Context } from '../command';
import { errors } from '../errors';
import { pictureOf, type NodeRow } from '../picture';
import { readCluster } from '../read/reading';
import { writeKey } from '../write';

const EVERY_MS = 500;

export const rejoin = defineCommand({
  description: 'let a blocked node rejoin although commits that only it has are given up; its WAL is kept aside',
  argument: { name: 'node', description: 'the blocked node' },
  options: {
    yes: { type: 'boolean', default: false, description: 'do not ask' },
    wait: { type: 'duration', default: '60s', minimum: 0, description: 'how long to wait until it streams' },
    json: { type: 'boolean', default: false, description: "print the node's status as JSON" },
  },
  run: async (context, { yes, wait, json }, node) => {
    const { client, keys, terminal, by, signal } = context;
    const reading = await readCluster(context);
    const row = rowOf(pictureOf(reading).nodes, node);
    if (!waitsForConsent(row)) throw errors.HAPG_COMMAND_REFUSED(whyNot(row));
    const held = heldBeyond(row);
    await terminal.confirm(
      [
        whyBlocked(row),
        `What only ${node} has is given up${held === null ? '' : `: ${held}`}. It is kept aside first.`,
      ],
      yes,
      signal,
    );
    const key = keys.rejoin(node);
    const value: RejoinValue = { id: randomUUID(), by, ...givenUp(row) };
    await writeKey(client, key, JSON.stringify(value), reading.keys.indexes.get(key) ?? 0);
    terminal.note(`Written. Waiting until ${node} streams …`);
    const { status } = await untilItStreams(context, node, wait);
    if (json) terminal.json(status);
    else terminal.print(`${node} is a Replica that streams.`);
  },
});

/** The very loss that was shown: should the node come to hold something else meanwhile, it is asked again. */
function givenUp({ status }: NodeRow): Pick<RejoinValue, 'gives'> {
  const divergence = status?.divergence;
  if (divergence == null) return {};
  const { fromLsn, toLsn, commits, transactions } = divergence;
  return { gives: { fromLsn, toLsn, commits, transactions } };
}

function whyNot(row: NodeRow): string {
  if (isBlocked(row)) return `${row.node} is blocked, but not because commits would be lost: ${whyBlocked(row)}`;
  return `${row.node} is not blocked: ${row.status?.rejoin ?? row.health}`;
}

function rowOf(rows: readonly NodeRow[], node: string): NodeRow {
  const row = rows.find((one) => one.node === node);
  if (row !== undefined) return row;
  throw errors.HAPG_COMMAND_REFUSED(
    `no node ${JSON.stringify(node)} is known: there are ${rows.map((one) => one.node).join(', ')}`,
  );
}

async function untilItStreams(context: Context, node: string, waitMs: number): Promise<NodeRow> {
  const until = monotonicNow() + waitMs;
  for (;;) {
    const row = rowOf(pictureOf(await readCluster(context)).nodes, node);
    if (row.source === 'node' && row.status?.role === 'Replica' && row.status.streaming) return row;
    if (monotonicNow() >= until)
      throw errors.HAPG_COMMAND_UNANSWERED(
        `${node} does not stream after ${waitMs} ms: ${row.instructionWhy ?? row.health}`,
      );
    await pause(EVERY_MS, context.signal);
    context.signal.throwIfAborted();
  }
}
