import {
  parseHistory,
  parseInitialize,
  parseMembers,
  parseSync,
  type SyncRule,
  type SyncValue,
} from '@ha-postgres/cluster-state';
import { lastRunningMaster } from '@ha-postgres/failover';
import type { Disk, SimNode } from '../node/node';
import { isOwnData } from '@ha-postgres/postgres-runner/runner';
import { isForeign } from '../postgres/data-directory';
import { lsnIn } from '../postgres/wal';
import type { Cluster } from '../run/cluster';

/**
 * Why those that are left rightly have no Master, and wait for a person or for the node that is away; null: they must have one. Judged by
 * what the world knows of data and keys, not by what the nodes say of themselves.
 */
export function whyMayWait(cluster: Cluster, away: SimNode): string | null {
  const left = [...cluster.nodes.values()].filter((node) => node !== away);
  // The one that is away may go on by failsafe, where it is the only member.
  if (left.some(({ server }) => server?.canAcknowledge === true)) return null;
  const { master } = cluster;
  if (master === null) return whyNotBegun(cluster, away, left);
  const history = read(cluster, cluster.keys.history, parseHistory) ?? { promotions: [] };
  const members = read(cluster, cluster.keys.members, parseMembers);
  if (members === null) return 'the list of members cannot be read';
  const last = lastRunningMaster(master, history);
  if (last === null) return whyNotBegun(cluster, away, left);
  const names = members.members.map(({ node }) => node);
  const able = left.filter((node) => names.includes(node.name) && !node.options.config.noFailover && hasOwnData(node));
  const data = cluster.nodes.get(last.node)?.disk.data.database ?? null;
  if (data === null) return 'the data of the last Master is gone';
  // A part of what the last Master wrote, or received before; and shown to be one.
  const isTold = history.promotions.some(({ term }) => term === last.term);
  const heirs = able.filter(({ disk }) => {
    const newest = disk.data.database?.wal.last ?? null;
    return (newest === null || data.wal.has(newest)) && (isTold || recordOf(disk)?.dataTerm === last.term);
  });
  if (heirs.some(({ name }) => name === last.node)) return null;
  if (heirs.length === 0) return 'nobody that is left may take over';
  return whyNotEnough(cluster, left.filter(hasOwnData), heirs, lsnIn(last.lsn));
}

/** Data that may be Master's without anybody's leave: it has not left the history, and is not being made to follow. */
function hasOwnData(node: SimNode): boolean {
  const record = recordOf(node.disk);
  return hasUsableData(node) && record?.deadMaster !== true && (record?.rejoining ?? null) === null;
}

interface Record {
  readonly dataTerm?: number;
  readonly deadMaster?: boolean;
  readonly rejoining?: number | null;
}

const recordOf = ({ controller }: Disk): Record | null => controller as Record | null;

/** Data that nothing has been done to since it was written or received. */
export function hasUsableData({ disk }: SimNode): boolean {
  const { database, isDamaged } = disk.data;
  const { mark, rejoin } = disk.marks;
  return database !== null && !isDamaged && !isForeign(database) && mark === null && isOwnData(rejoin?.stage);
}

/** No Master ever ran: whoever made the data must run it, or nobody has any. */
function whyNotBegun(cluster: Cluster, away: SimNode, left: readonly SimNode[]): string | null {
  const made = read(cluster, cluster.keys.initialize, parseInitialize);
  if (made?.systemId != null) return made.node === away.name ? 'only the node that is away has data' : null;
  return left.every(({ options }) => options.config.noFailover) ? 'nobody that is left may make a cluster' : null;
}

function whyNotEnough(
  { consul, keys, scenario }: Cluster,
  voters: readonly SimNode[],
  heirs: readonly SimNode[],
  lastLsn: number,
): string | null {
  const entry = consul.fake.store.get(keys.sync);
  const parsed = entry === null ? null : parseSync(entry.value);
  if (parsed?.ok === false) return 'the synchronous rule cannot be read';
  const rules = rulesOf(parsed?.value ?? null);
  if (rules.length === 0) {
    const isNear = heirs.some((node) => lastLsn - endOf(node) <= scenario.lagLimitBytes);
    return isNear ? null : 'all that are left lag too far';
  }
  const names = voters.map(({ name }) => name);
  if (!rules.every((rule) => isEnough(rule, names))) return 'too few that are left confirmed commits';
  const newest = Math.max(...voters.map(endOf));
  return heirs.some((node) => endOf(node) === newest) ? null : 'whoever has the newest data may not be Master';
}

/** R + W > N; with fewer names than must confirm only the Master itself has every commit. */
function isEnough({ k, names }: SyncRule, voters: readonly string[]): boolean {
  return k > 0 && k <= names.length && voters.filter((voter) => names.includes(voter)).length > names.length - k;
}

const endOf = ({ disk }: SimNode): number => disk.data.database?.wal.end ?? 0;

function rulesOf(value: SyncValue | null): readonly SyncRule[] {
  if (value === null) return [];
  const { previous, ...rule } = value;
  return [rule, ...(previous === null ? [] : [previous])].filter(({ mode }) => mode !== 'async');
}

/** Null: absent, or nobody can read it. */
function read<T>(
  { consul }: Cluster,
  key: string,
  parse: (text: string) => { readonly ok: true; readonly value: T } | { readonly ok: false },
): T | null {
  const entry = consul.fake.store.get(key);
  const parsed = entry === null ? null : parse(entry.value);
  return parsed?.ok === true ? parsed.value : null;
}

/** Whom a person lets take over where those that are left wait: the newest data that is left of a member; null: there is none. */
export function heirOf(cluster: Cluster, away: SimNode): SimNode | null {
  const members = read(cluster, cluster.keys.members, parseMembers)?.members ?? [];
  const names = members.map(({ node }) => node);
  const heirs = [...cluster.nodes.values()].filter(
    (node) => node !== away && names.includes(node.name) && !node.options.config.noFailover && hasUsableData(node),
  );
  return heirs.reduce<SimNode | null>((best, node) => (best !== null && isNewer(best, node) ? best : node), null);
}

function isNewer(a: SimNode, b: SimNode): boolean {
  const [termA, termB] = [a, b].map(({ controller }) => controller?.parts.disk.record.dataTerm ?? 0) as [
    number,
    number,
  ];
  return termA === termB ? endOf(a) >= endOf(b) : termA > termB;
}
