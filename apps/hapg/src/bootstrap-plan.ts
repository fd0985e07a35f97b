import { randomUUID } from 'node:crypto';
import type {
  ClusterKeys,
  EpochValue,
  HistoryValue,
  InitializeValue,
  MasterValue,
  MembersValue,
  NodeStatus,
  OverrideValue,
} from '@ha-postgres/cluster-state';
import { opCas, opCheckIndex, opCheckNotExists, type TxnOperation } from '@ha-postgres/consul-election';
import { lagBytes, parseLsn } from '@ha-postgres/lsn';
import { pictureOf } from './picture';
import { compare, ranked } from './ranking';
import type { KeysSeen, Seen } from './read/keys';
import type { Answer } from './read/nodes';
import { nameOf, type Reading } from './read/reading';
import { bytesText } from './show/bytes';

/**
 * How far the new term lies above all that any node that answers has seen. A node that does not answer may have seen, or run, a
 * few terms more: were they used again, its data would be taken for that of another history with the same number.
 */
export const TERMS_LEFT_OUT = 1000;

export interface BootstrapWish {
  readonly from: string;
  readonly by: string;
  readonly unreachableAreDown: boolean;
  readonly acceptDataLoss: boolean;
}

export interface BootstrapPlan {
  readonly term: number;
  readonly operations: readonly TxnOperation[];
  /** What the administrator answers for. */
  readonly says: readonly string[];
}

/** What keys are to be made anew, or why not. */
export function planBootstrap(
  keys: ClusterKeys,
  reading: Reading,
  wish: BootstrapWish,
): BootstrapPlan | { readonly refused: string } {
  const answer = reading.answers.find((one) => nameOf(one) === wish.from);
  const refused =
    whyNotNeeded(reading) ??
    whyNotThatNode(answer, wish.from) ??
    whyNotSafe(reading, wish) ??
    whyNotTheBest(reading, wish);
  if (refused !== null) return { refused };
  if (answer?.kind !== 'answered') return { refused: `${wish.from} does not answer` };
  const { status } = answer;
  const term = highestTerm(reading) + TERMS_LEFT_OUT;
  return {
    term,
    operations: [
      ...operationsFor(keys, reading, status, term, wish.by),
      ...overrideFor(keys, reading, status, wish.by),
    ],
    says: whatIsAnsweredFor(reading, status, term),
  };
}

/** Whoever is not on the list may not take over, and only a Master puts it there: all that are on it are gone. */
function isNobodyListed({ keys, answers }: Pick<Reading, 'keys' | 'answers'>): boolean {
  const listed = keys.members.value?.members;
  const answering = answers.filter(({ kind }) => kind === 'answered').map(nameOf);
  return listed !== undefined && answering.length > 0 && !listed.some(({ node }) => answering.includes(node));
}

/** Only a Consul that knows less than the nodes may be overruled, or a list of which nobody is left: else the nodes find their Master by themselves. */
function whyNotNeeded({ keys, answers }: Reading): string | null {
  if (keys.master.session !== null) {
    const holder = keys.master.value?.node ?? 'somebody';
    return `${holder} holds the lock on the master key: this cluster has, or is about to have, a Master`;
  }
  // Nobody takes over by what cannot be read, and nobody writes over it either.
  if (keys.master.unreadable !== null || keys.members.unreadable !== null) return null;
  if (isNobodyListed({ keys, answers })) return null;
  const witness = answers.some((answer) => answer.kind === 'answered' && answer.status.consulWentBack != null);
  return witness ? null : 'no node that answers says that Consul has lost what it knew: see hapg status';
}

function whyNotThatNode(answer: Answer | undefined, from: string): string | null {
  if (answer === undefined)
    return `no node ${JSON.stringify(from)} is known here: name its role-server with --role-servers HOST:PORT`;
  if (answer.kind !== 'answered') return `${from} does not answer: ${answer.why}`;
  const { status, instructionWhy } = answer;
  if (status.role === 'DeadMaster')
    return `${from} is a DeadMaster (${instructionWhy ?? 'no reason given'}): it cannot become Master`;
  if (status.rejoin != null) return `${from} waits to rejoin, and its data is not to be relied on: ${status.rejoin}`;
  if (status.systemId == null || status.dataTerm === 0) return `${from} holds no data of a cluster`;
  if (status.tags.noFailover) return `${from} is tagged noFailover, and would not take over`;
  if (!status.postgresAlive || status.lsn === null)
    return `${from}'s PostgreSQL does not answer (${status.lastError ?? answer.readyWhy}): it could not take over, and how far its data reaches is not known`;
  return null;
}

/** Nobody may be taking writes: of those that answer it is asked, for the others the administrator must answer. */
function whyNotSafe({ answers }: Reading, { unreachableAreDown }: BootstrapWish): string | null {
  const writing = answers.filter(
    (answer) => answer.kind === 'answered' && (answer.status.inRecovery === false || answer.status.role === 'Master'),
  );
  if (writing.length > 0)
    return `${writing.map(nameOf).join(', ')} may take writes (its PostgreSQL is not in standby mode): wait until its lease has ended, or stop it`;
  const silent = answers.filter(({ kind }) => kind !== 'answered');
  if (silent.length > 0 && !unreachableAreDown)
    return `${silent.map((one) => `${nameOf(one)} does not answer (${'why' in one ? one.why : ''})`).join('; ')}: make sure that no PostgreSQL runs there, and say so with --unreachable-are-down`;
  return null;
}

function whyNotTheBest(reading: Reading, { from, acceptDataLoss }: BootstrapWish): string | null {
  const order = ranked(pictureOf(reading).nodes);
  const [best] = order;
  const named = order.find(({ node }) => node === from);
  if (best === undefined || named === undefined || compare(best.status, named.status) <= 0 || acceptDataLoss)
    return null;
  return `${best.node} has newer data (${positionOf(best.status)}) than ${from} (${positionOf(named.status)}): name ${best.node}, or say --accept-data-loss`;
}

function positionOf({ dataTerm, lsn }: NodeStatus): string {
  return `term ${dataTerm}, WAL up to ${lsn ?? 'unknown'}`;
}

function highestTerm({ keys, answers }: Reading): number {
  const seen = answers.flatMap((answer) =>
    answer.kind === 'answered' ? [answer.status.highestTerm ?? 0, answer.status.dataTerm, answer.status.term] : [],
  );
  const written = [keys.master.value?.term ?? 0, ...(keys.history.value?.promotions ?? []).map(({ term }) => term)];
  return Math.max(...seen, ...written);
}

function highestEpoch({ keys, answers }: Reading): number {
  const seen = answers.map((answer) => (answer.kind === 'answered' ? (answer.status.epoch ?? 0) : 0));
  return Math.max(keys.epoch.value?.number ?? 0, ...seen);
}

/** All of it at one Raft index, over exactly what was read, or none of it. */
function operationsFor(
  keys: ClusterKeys,
  reading: Reading,
  status: NodeStatus,
  term: number,
  by: string,
): TxnOperation[] {
  const { node, host, port, apiPort, dataTerm, timeline, systemId } = status;
  const lsn = status.lsn ?? '0/0';
  const address = { node, host, port, apiPort };
  // No lease, and nobody cleared: the named node waits once as long as a lease lasts, whatever the administrator has missed.
  const master: MasterValue = {
    ...address,
    ...{ term, beat: 0, phase: 'waiting', timeline: timeline ?? 0, lsn, lsnExact: false, released: false },
    successor: node,
    last: { node, term: dataTerm, timeline: timeline ?? 0, lsn },
  };
  // The others come back on when they stream: until then nobody else may take over.
  const members: MembersValue = { members: [address] };
  const history: HistoryValue = { promotions: reading.keys.history.value?.promotions ?? [] };
  const epoch: EpochValue = { number: highestEpoch(reading) + 1, from: node, by };
  const initialize: InitializeValue = { node, systemId: systemId ?? null };
  const over = (key: string, seen: Seen<unknown>, value: object) => opCas(key, JSON.stringify(value), seen.modifyIndex);
  const seen: KeysSeen = reading.keys;
  return [
    over(keys.master, seen.master, master),
    over(keys.members, seen.members, members),
    over(keys.history, seen.history, history),
    over(keys.epoch, seen.epoch, epoch),
    seen.initialize.value?.systemId === systemId
      ? unchanged(keys.initialize, seen.initialize)
      : over(keys.initialize, seen.initialize, initialize),
  ];
}

/**
 * Under a synchronous rule the named node would need votes of members that it does not have yet; and so it does by the rule that it
 * writes itself, where that lets commits wait for nobody. Of how nodes are configured Consul knows nothing.
 */
function overrideFor(keys: ClusterKeys, reading: Reading, status: NodeStatus, by: string): TxnOperation[] {
  const { override } = reading.keys;
  const value: OverrideValue = {
    ...{ id: randomUUID(), node: status.node, afterTerm: status.dataTerm, by },
    why: "hapg bootstrap: Consul's data was lost",
  };
  return [opCas(keys.override, JSON.stringify(value), override.modifyIndex)];
}

function unchanged(key: string, { modifyIndex }: Seen<unknown>): TxnOperation {
  return modifyIndex === 0 ? opCheckNotExists(key) : opCheckIndex(key, modifyIndex);
}

function whatIsAnsweredFor(reading: Reading, status: NodeStatus, term: number): string[] {
  const { keys, answers } = reading;
  const silent = answers.filter(({ kind }) => kind !== 'answered').map(nameOf);
  const other = keys.initialize.value?.systemId ?? null;
  const lost = ranked(pictureOf(reading).nodes).flatMap(({ node, status: theirs }) =>
    compare(theirs, status) > 0
      ? [`${node} has newer data (${positionOf(theirs)}${aheadText(theirs, status)}): it is given up.`]
      : [],
  );
  return [
    `${status.node} becomes Master with data of ${positionOf(status)}, in a term above ${term}. All others follow it.`,
    ...lost,
    ...(silent.length === 0
      ? []
      : [
          `Not reached: ${silent.join(', ')}. If a PostgreSQL takes writes there, these writes are lost, and there are two Masters until it ends.`,
        ]),
    ...(other !== null && other !== status.systemId
      ? [
          `Key initialize names another cluster (system identifier ${other}) than ${status.node}'s data (${status.systemId ?? 'unknown'}): it is overwritten.`,
        ]
      : []),
  ];
}

function aheadText(theirs: NodeStatus, own: NodeStatus): string {
  if (theirs.lsn === null || own.lsn === null) return '';
  return `, ${bytesText(lagBytes(parseLsn(theirs.lsn), parseLsn(own.lsn)))} more`;
}
