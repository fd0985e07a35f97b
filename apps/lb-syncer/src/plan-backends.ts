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

/** What a server is to be. */
export type Wish =
  | { readonly kind: 'serve'; readonly target: Target }
  /** If it serves the target, its sessions go on and new ones do not come. */
  | { readonly kind: 'drain'; readonly target: Target }
  /** In maint, without sessions. */
  | { readonly kind: 'rest' }
  /** Occupied by the plug, so that new clients of its backend wait: see `hold-plug.ts`. */
  | { readonly kind: 'plug' }
  /** As it is, because Consul has not told enough yet. */
  | { readonly kind: 'leave' };

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
  /** New clients of the master port are to wait. */
  readonly holding: boolean;
  /** What keeps a node from being routed to though it should be; for the log. */
  readonly problems: readonly string[];
}

export const MASTER_SERVER = 'master0';
/** The plug's server in the master backend. */
export const HOLD_SERVER = 'hold';
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

function leading(
  kind: 'serve' | 'drain',
  value: MasterValue | null,
  check: boolean,
): { wish: Wish; problems: string[] } {
  if (value === null) return { wish: REST, problems: [] };
  const { node, host, port, apiPort } = value;
  const problems = addressProblem(`Master ${node}`, host);
  const target = { node, host, port, checkPort: check ? apiPort : null };
  return { wish: problems.length > 0 ? REST : { kind, target }, problems };
}

/** The master port leads to the holder of the key, while it holds it and takes writes. The key alone decides: roles follow it. */
export const writer = (sight: MasterSight): MasterValue | null =>
  sight.session === null ? null : leadsTo(sight, ['running']);

/** A Master that hands over still takes writes, until it stops: who is connected gets its last answer from itself. */
const leaver = (sight: MasterSight): MasterValue | null =>
  sight.session === null || sight.value?.successor === null ? null : leadsTo(sight, ['draining']);

/** The server of the Master. */
function planMaster(sight: MasterSight): { wish: Wish; problems: string[] } {
  const leaving = leaver(sight);
  return leaving === null ? leading('serve', writer(sight), true) : leading('drain', leaving, true);
}

/**
 * Replicas follow the last Master until it has released the key: cut before, they would miss the end of its WAL. Whoever has the key
 * after it, and waits for the end of its lease or promotes, says nothing of it: it may write still.
 */
function planReplication(sight: MasterSight): Wish {
  const { value } = sight;
  if (value !== null && !value.released && ['waiting', 'promoting'].includes(value.phase)) return LEAVE;
  return leading('serve', leadsTo(sight, ['running', 'draining']), false).wish;
}

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
    if (instance.node === excluded || instance.noLoadBalance) continue;
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
 * What HAProxy is to look like, given what Consul has told, and whether clients are held. Standbys are the passing instances whose role is Replica; a
 * DeadMaster is nowhere. What depends on something not told yet is left as it is.
 */
export function planBackends(view: ClusterView, names: BackendNames, holding = false): Desired {
  const only = (...servers: readonly (readonly [string, Wish])[]): BackendWish => ({
    servers: new Map(servers),
    otherSlots: LEAVE,
  });
  const { told } = view.master;
  const writes = view.master.told ? planMaster(view.master.value) : { wish: LEAVE, problems: [] };
  const wal = view.master.told ? planReplication(view.master.value) : LEAVE;
  const plug: Wish = holding ? { kind: 'plug' } : told ? REST : LEAVE;
  const standby = planStandby(view);
  return {
    masterIndex: view.master.told ? view.master.value.index : 0,
    hold: view.master.told ? holdOf(view.master.value) : 'unknown',
    // The order is the order of the commands: nothing is to delay the way to the Master.
    backends: new Map([
      [names.master, only([MASTER_SERVER, writes.wish], [HOLD_SERVER, plug])],
      ...(names.replication === null ? [] : [[names.replication, only([REPLICATION_SERVER, wal])] as const]),
      [names.standby, standby.wish],
    ]),
    master: writes.wish.kind === 'serve' ? writes.wish.target.node : null,
    standbys: standby.standbys,
    holding,
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
