import { readFileSync } from 'node:fs';
import { processesIn } from '@ha-postgres/service-kit';

/**
 * Whether a process title is a WAL receiver's: `postgres: CLUSTER: walreceiver streaming 0/3000148`. A session's title
 * goes on with database and client instead.
 */
export function isReceiverTitle(title: string): boolean {
  return /^postgres: (?:.*: )?walreceiver(?: +streaming [0-9A-F]+\/[0-9A-F]+)?[ \0]*$/.test(title);
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The WAL receivers among the processes of a data directory: one, or none; two while one replaces the other. */
export function receiversIn(dataDir: string): number[] {
  return processesIn(dataDir).filter((pid) => isReceiverTitle(titleOf(pid)));
}

/** Asks them to end; those that have ended already are fine. */
export function terminate(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      continue;
    }
  }
}
