import { nodeOrdinal, type MasterValue, type Phase } from '@ha-postgres/cluster-state';
import type { ClusterView, Instance, MasterSight } from './cluster-view';
import { canonicalAddress } from './ip-address';

/** Where a server is to lead. */
export interface Target {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** Where HAProxy asks the node's role-server; null for a server without check. */
  readonly checkPort: number | null;
}

/** A server serves a node, rests in maint, or is left as it is because Consul has not told enough yet. */
export type Wish =
  { readonly kind: 'serve'; readonly target: Target } | { readonly kind: 'rest' } | { readonly kind: 'leave' };

export interface BackendWish {
  readonly servers: ReadonlyMap<string, Wish>;
  /** For the backend's slots that `servers` does not name. */
  readonly otherSlots: Wish;
}

export interface BackendNames {
  readonly master: string;
  readonly standby: string;
  /** Null: Replicas connect to the Master directly. */
  readonly replication: string | null;
}

/** The state that HAProxy is to be in. */
export interface Desired {
  /** ModifyIndex of the `master` value that this was made from; 0 if there was none. */
  readonly masterIndex: number;
  /** Who holds the key in which term and phase: a new one is worth reporting though the route may be the same. */
  readonly hold: string;
  readonly backends: ReadonlyMap<string, BackendWish>;
  /** The node that the master port leads to. */
  readonly master: string | null;
  readonly standbys: readonly string[];
  /** What keeps a node from being routed to though it should be; for the log. */
  readonly problems: readonly string[];
}

export const MASTER_SERVER = 'master0';
export const REPLICATION_SERVER = 'replication0';
export const STANDBY_SLOT = /^standby\d+$/;

const REST: Wish = { kind: 'rest' };
const LEAVE: Wish = { kind: 'leave' };

const addressProblem = (what: string, host: string): string[] =>
  canonicalAddress(host) === null
    ? [`${what} has no IP address but ${JSON.stringify(host)}, which HAProxy would not resolve`]
    : [];

const leadsTo = (sight: MasterSight, phases: readonly Phase[]): MasterValue | null =>
  sight.value !== null && !sight.value.released && phases.includes(sight.value.phase) ? sight.value : null;

function serving(value: MasterValue | null, check: boolean): { wish: Wish; problems: string[] } {
  if (value === null) return { wish: REST, problems: [] };
  const { node, host, port, apiPort } = value;
  const problems = addressProblem(`Master ${node}`, host);
  const target = { node, host, port, checkPort: check ? apiPort : null };
  return { wish: problems.length > 0 ? REST : { kind: 'serve', target }, problems };
}

/** The master port leads to the holder of the key, while it holds it and takes writes. The key alone decides: roles follow it. */
const writer = (sight: MasterSight): MasterValue | null =>
  sight.session === null ? null : leadsTo(sight, ['running']);

/** Replicas follow the last Master until it has released the key: cut before, they would miss the end of its WAL. */
const walSource = (sight: MasterSight): MasterValue | null => leadsTo(sight, ['running', 'draining']);

/** The node that is, or is becoming, the Master: its place is not among the standbys. A candidate that waits may still give up. */
function notStandby({ master }: ClusterView): string | null {
  if (!master.told || master.value.session === null) return null;
  return leadsTo(master.value, ['promoting', 'running', 'draining'])?.node ?? null;
}

interface Slots {
  readonly servers: Map<string, Wish>;
  readonly standbys: string[];
  readonly problems: string[];
}

function placeStandby(slots: Slots, instance: Instance): void {
  const { node, host, port, apiPort } = instance;
  const ordinal = nodeOrdinal(node);
  if (ordinal === null) {
    slots.problems.push(`Replica ${node} has no number at the end of its name, so no slot`);
    return;
  }
  const slot = `standby${ordinal}`;
  const problems = addressProblem(`Replica ${node}`, host);
  if (slots.servers.get(slot)?.kind === 'serve')
    problems.push(`Replica ${node}: slot ${slot} is taken by another node`);
  slots.problems.push(...problems);
  if (problems.length > 0) return;
  slots.servers.set(slot, { kind: 'serve', target: { node, host, port, checkPort: apiPort } });
  slots.standbys.push(node);
}

function planStandby(view: ClusterView): { wish: BackendWish; standbys: string[]; problems: string[] } {
  const slots: Slots = { servers: new Map(), standbys: [], problems: [] };
  if (!view.instances.told) return { ...slots, wish: { servers: slots.servers, otherSlots: LEAVE } };
  const excluded = notStandby(view);
  const byName = [...view.instances.value].sort((a, b) => (a.node < b.node ? -1 : 1));
  for (const instance of byName) {
    if (instance.node === excluded) continue;
    if (!view.roles.has(instance.node)) {
      const slot = `standby${nodeOrdinal(instance.node) ?? ''}`;
      if (!slots.servers.has(slot)) slots.servers.set(slot, LEAVE);
    } else if (view.roles.get(instance.node) === 'Replica') placeStandby(slots, instance);
  }
  return { ...slots, wish: { servers: slots.servers, otherSlots: REST } };
}

const holdOf = ({ session, value }: MasterSight): string =>
  `${session ?? 'nobody'} ${value === null ? 'without value' : `${value.node} ${value.term} ${value.phase}`}`;

/**
 * What HAProxy is to look like, given what Consul has told. Standbys are the passing instances whose role is Replica; a
 * DeadMaster is nowhere. What depends on something not told yet is left as it is.
 */
export function planBackends(view: ClusterView, names: BackendNames): Desired {
  const single = (server: string, wish: Wish): BackendWish => ({
    servers: new Map([[server, wish]]),
    otherSlots: LEAVE,
  });
  const writes = view.master.told ? serving(writer(view.master.value), true) : { wish: LEAVE, problems: [] };
  const wal = view.master.told ? serving(walSource(view.master.value), false) : { wish: LEAVE, problems: [] };
  const standby = planStandby(view);
  return {
    masterIndex: view.master.told ? view.master.value.index : 0,
    hold: view.master.told ? holdOf(view.master.value) : 'unknown',
    // The order is the order of the commands: nothing is to delay the way to the Master.
    backends: new Map([
      [names.master, single(MASTER_SERVER, writes.wish)],
      ...(names.replication === null ? [] : [[names.replication, single(REPLICATION_SERVER, wal.wish)] as const]),
      [names.standby, standby.wish],
    ]),
    master: writes.wish.kind === 'serve' ? writes.wish.target.node : null,
    standbys: standby.standbys,
    problems: [...writes.problems, ...standby.problems],
  };
}

/** What is wished for a server; servers that are none of ours are left as they are. */
export function wishFor(desired: Desired, backend: string, server: string): Wish {
  const wish = desired.backends.get(backend);
  if (wish === undefined) return LEAVE;
  return wish.servers.get(server) ?? (STANDBY_SLOT.test(server) ? wish.otherSlots : LEAVE);
}

/** Whether two plans ask for the same and say the same of the holder. (A beat, twice a second, changes neither.) */
export function isSamePlan(a: Desired, b: Desired): boolean {
  return planText(a) === planText(b);
}

function planText({ backends, hold, problems }: Desired): string {
  const wishes = [...backends].map(([backend, { servers, otherSlots }]) => [backend, [...servers], otherSlots]);
  return JSON.stringify([hold, problems, wishes]);
}
