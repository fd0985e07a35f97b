import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { firstTime, readLogLines, type LogLine } from './log-search';
import type { Scenario } from './scenario';

/**
 * When a fault was first noticed, by the services' own logs, as wall clock in milliseconds: for `kill-master` by the old
 * Master's own node, for the others (where that node says nothing any more) by anybody else. Null: nobody wrote of it.
 */
export function firstDetection(
  scenario: Exclude<Scenario, 'none'>,
  oldMaster: string,
  logs: string,
  struckAt: number,
): number | null {
  const isOwn = (file: string) => file.startsWith(`${oldMaster}-`);
  const files = readdirSync(logs).filter((file) => (scenario === 'kill-master' ? isOwn(file) : !isOwn(file)));
  const times = files
    .map((file) => firstTime(readLogLines(join(logs, file)), struckAt, isDetection))
    .filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** Events by which a service says that the Master is gone, or that its lease has run out. */
const DETECTIONS: ReadonlySet<string> = new Set(['postgres.exited', 'postgres.dead', 'lease.expired', 'master.gone']);

function isDetection(line: LogLine): boolean {
  return DETECTIONS.has(line.event);
}
