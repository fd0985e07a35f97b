import type {
  EpochValue,
  HistoryEntry,
  LbStatus,
  MasterValue,
  NodeAddress,
  NodeStatus,
  PauseValue,
  SwitchoverValue,
  SyncValue,
} from '@ha-postgres/cluster-state';
import { lagBytes, parseLsn } from '@ha-postgres/lsn';
import type { KeysSeen } from './read/keys';
import type { Answer } from './read/nodes';
import { nameOf, type Reading } from './read/reading';

/** One node as an operator wants to see it. */
export interface NodeRow {
  readonly node: string;
  /** By its own word of this moment; otherwise by its last word in Consul, or nothing at all. */
  readonly source: 'node' | 'consul' | 'nobody';
  readonly health: string;
  /** Null: the list is not known. */
  readonly isMember: boolean | null;
  readonly status: NodeStatus | null;
  /** Bytes of WAL by which it is behind what the last Master said; null: not known. */
  readonly behindBytes: number | null;
  readonly instruction: string | null;
  readonly instructionWhy: string | null;
}

/** Nodes that say at this moment that Consul has lost what it knew. The last word of one that is gone may be of any time. */
export function witnessesOfLoss({ nodes }: Pick<Picture, 'nodes'>): readonly NodeRow[] {
  return nodes.filter(({ source, status }) => source === 'node' && status?.consulWentBack != null);
}

/** How the lease stands. */
export interface MasterPicture {
  readonly value: MasterValue;
  readonly isHeld: boolean;
  /** What is known of the lease, in a few words. */
  readonly lease: string;
}

export interface LoadBalancerRow extends LbStatus {
  /** HAProxy's state is of the newest `master` value, or leads to the same node. */
  readonly isCurrent: boolean;
}

/** What `hapg status` shows, and with `--json` prints as it is. */
export interface Picture {
  /** Why Consul said nothing; null: it answered. */
  readonly consulIsSilent: string | null;
  readonly master: MasterPicture | null;
  readonly systemId: string | null;
  /** Null: not known. */
  readonly members: readonly NodeAddress[] | null;
  readonly nodes: readonly NodeRow[];
  readonly loadBalancers: readonly LoadBalancerRow[];
  /** The synchronous rule of the key, and what the Master says of it. */
  readonly sync: SyncValue | null;
  readonly pause: PauseValue | null;
  readonly switchover: SwitchoverValue | null;
  readonly epoch: EpochValue | null;
  readonly lastPromotion: HistoryEntry | null;
  readonly unreadable: readonly { readonly key: string; readonly why: string }[];
}

/** Puts together what was read. */
export function pictureOf({ consulIsSilent, keys, answers }: Reading): Picture {
  const { value: master, session } = keys.master;
  return {
    consulIsSilent,
    master:
      master === null ? null : { value: master, isHeld: session !== null, lease: leaseOf(master, session, answers) },
    systemId: keys.initialize.value?.systemId ?? null,
    members: keys.members.value?.members ?? null,
    nodes: rowsOf(keys, answers),
    loadBalancers: keys.loadBalancers.map((lb) => ({ ...lb, isCurrent: lb.master === routeWanted(master, session) })),
    sync: keys.sync.value,
    pause: keys.pause.value,
    switchover: keys.switchover.value,
    epoch: keys.epoch.value,
    lastPromotion: keys.history.value?.promotions.at(-1) ?? null,
    unreadable: keys.unreadable,
  };
}

/** Clients are led only to a Master whose key is held, and that runs. */
function routeWanted(master: MasterValue | null, session: string | null): string | null {
  return master !== null && session !== null && master.phase === 'running' ? master.node : null;
}

function leaseOf(master: MasterValue, session: string | null, answers: readonly Answer[]): string {
  if (session === null) {
    return master.released
      ? 'released: whoever is able may take over at once'
      : 'not held: whoever is able may take over once it has run out';
  }
  const answer = answers.find((one) => nameOf(one) === master.node);
  if (answer?.kind !== 'answered')
    return `held, but ${master.node} does not answer here: ${answer?.why ?? 'not asked'}`;
  if (answer.status.role !== 'Master')
    return `held, but ${master.node} says that it is ${answer.status.role ?? 'undecided'}`;
  return answer.isValid ? 'held, and valid by its own clock' : `held, but ${answer.validWhy}`;
}

function rowsOf(keys: KeysSeen, answers: readonly Answer[]): NodeRow[] {
  const isMember = (node: string) => keys.members.value?.members.some((member) => member.node === node) ?? null;
  const rows = answers.map((answer): NodeRow => {
    const node = nameOf(answer);
    const status =
      answer.kind === 'answered' ? answer.status : (keys.statuses.find((one) => one.node === node) ?? null);
    return {
      node,
      source: answer.kind === 'answered' ? 'node' : status === null ? 'nobody' : 'consul',
      health: healthOf(answer),
      isMember: isMember(node),
      status,
      behindBytes: behindOf(status, keys.master.value),
      instruction: answer.kind === 'answered' ? answer.instruction : null,
      instructionWhy: answer.kind === 'answered' ? answer.instructionWhy : null,
    };
  });
  return rows.sort((a, b) => (a.node < b.node ? -1 : 1));
}

function healthOf(answer: Answer): string {
  if (answer.kind === 'silent') return `no answer: ${answer.why}`;
  if (answer.kind === 'undecided') return `undecided: ${answer.why}`;
  if (!answer.isValid) return `stale: ${answer.validWhy}`;
  return answer.ready ? 'ready' : answer.readyWhy;
}

/** Against what the Master that runs, or ran last, said of itself: it may have written more since. */
function behindOf(status: NodeStatus | null, master: MasterValue | null): number | null {
  if (status?.lsn == null || master === null) return null;
  const ran = master.phase === 'running' || master.phase === 'draining' ? master : master.last;
  return ran === null ? null : lagBytes(parseLsn(ran.lsn), parseLsn(status.lsn));
}
