import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { firstTime, readLogLines, type LogLine } from './log-search';
import type { LocalScenario } from './scenario';

/**
 * When a fault was first noticed, by the services' own logs, as wall clock in milliseconds; null: nobody wrote of it.
 * `kill-master`: the old Master's own runner sees PostgreSQL end. Otherwise that node says nothing any more, and another
 * one notices when it takes itself for a candidate: the Master's lease has run out.
 */
export function firstDetection(
  scenario: Exclude<LocalScenario, 'none'>,
  oldMaster: string,
  logs: string,
  struckAt: number,
): number | null {
  const isDetection = scenario === 'kill-master' ? isEndOfPostgres : isCandidacy;
  const files = readdirSync(logs).filter((file) => file.startsWith(`${oldMaster}-`) === (scenario === 'kill-master'));
  const times = files
    .map((file) => firstTime(readLogLines(join(logs, file)), struckAt, isDetection))
    .filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}

function isEndOfPostgres({ event }: LogLine): boolean {
  return event === 'postgres.exited';
}

function isCandidacy({ event, rule }: LogLine): boolean {
  return event === 'rule.changed' && typeof rule === 'string' && rule.startsWith('candidate');
}
