import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '@ha-postgres/service-kit';
import type { ClusterFile } from './cluster-file';
import { processStat } from './processes';

/** What one process used over a while. */
export interface Usage {
  readonly member: string;
  readonly process: string;
  readonly pid: number;
  /** Resident memory at the end, in MiB. */
  readonly residentMiB: number;
  /** Processor time in percent of one core. */
  readonly cpuPercent: number;
}

/** What each service may use while nothing happens. */
export const IDLE_LIMITS = { residentMiB: 80, cpuPercent: 1 } as const;

const SERVICES: readonly string[] = ['db-controller', 'role-server', 'postgres-runner', 'lb-syncer'];

/** Which limits a service is above, as text; empty if none. Null for a program that is not ours: it has no limits. */
export function aboveLimits({ process, residentMiB, cpuPercent }: Usage): readonly string[] | null {
  if (!SERVICES.includes(process)) return null;
  return [
    ...(residentMiB < IDLE_LIMITS.residentMiB ? [] : [`${residentMiB.toFixed(1)} of ${IDLE_LIMITS.residentMiB} MiB`]),
    ...(cpuPercent < IDLE_LIMITS.cpuPercent ? [] : [`${cpuPercent.toFixed(2)} of ${IDLE_LIMITS.cpuPercent} %`]),
  ];
}

/** `utime` and `stime` in the fields of `/proc/PID/stat` from the state on. */
const UTIME = 11;
const STIME = 12;

/**
 * Measures all processes that live through the next `seconds` (Linux only).
 * @throws Error on a system without `/proc`.
 */
export async function measureUsage(cluster: ClusterFile, seconds: number): Promise<Usage[]> {
  if (process.platform !== 'linux')
    throw new Error(`usage is read from /proc, which ${process.platform} does not have`);
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const before = new Map(namedPids(cluster).map(({ pid }) => [pid, cpuTicks(pid)]));
  const startedAt = monotonicNow();
  await delay(seconds * 1_000);
  const elapsedSeconds = (monotonicNow() - startedAt) / 1_000;
  return namedPids(cluster).flatMap(({ member, process, pid }) => {
    const [from, to, residentMiB] = [before.get(pid) ?? null, cpuTicks(pid), residentOf(pid)];
    if (from === null || to === null || residentMiB === null) return [];
    return [{ member, process, pid, residentMiB, cpuPercent: (100 * (to - from)) / ticksPerSecond / elapsedSeconds }];
  });
}

function namedPids(cluster: ClusterFile): { member: string; process: string; pid: number }[] {
  const members = [...cluster.nodes, ...cluster.loadBalancers].flatMap(({ name, processes }) =>
    Object.entries(processes).map(([process, pid]) => ({ member: name, process, pid })),
  );
  const servers = cluster.consul.servers.map(({ name, pid }) => ({ member: name, process: 'consul', pid }));
  const owner = { member: 'cluster', process: 'owner', pid: cluster.owner.pid };
  return [...members, ...servers, owner].flatMap(({ pid, ...rest }) => (pid === null ? [] : [{ ...rest, pid }]));
}

function cpuTicks(pid: number): number | null {
  const stat = processStat(pid);
  return stat === null ? null : Number(stat[UTIME]) + Number(stat[STIME]);
}

function residentOf(pid: number): number | null {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? null : Number(match[1]) / 1_024;
  } catch {
    return null;
  }
}
