import { setTimeout as delay } from 'node:timers/promises';
import { killProcessesIn, monotonicNow, type Log } from '@ha-postgres/service-kit';

/** SIGKILL takes a process of a busy machine some milliseconds; one that hangs in the kernel takes as long as it takes. */
const QUICK_PASSES = 100;
const QUICK_PASS_MS = 2;
const SLOW_PASS_MS = 50;

/**
 * SIGKILLs every process of the data directory. The signals of the first pass are sent before this returns; the promise
 * is fulfilled when no process is left (dead ones that are not reaped do not count).
 */
export async function killAllIn(dataDir: string, log: Log): Promise<void> {
  const began = monotonicNow();
  const killed = new Set<number>();
  for (let pass = 1; ; pass += 1) {
    const pids = killProcessesIn(dataDir, 'SIGKILL');
    for (const pid of pids) killed.add(pid);
    if (pids.length === 0) break;
    if (pass === QUICK_PASSES) {
      log.error({ event: 'fence.stuck', pids }, 'processes of the data directory do not end after SIGKILL');
    }
    await delay(pass < QUICK_PASSES ? QUICK_PASS_MS : SLOW_PASS_MS);
  }
  if (killed.size > 0) {
    const durationMs = Math.round((monotonicNow() - began) * 10) / 10;
    log.info({ event: 'fence.clear', killed: killed.size, durationMs }, 'no process of the data directory is left');
  }
}
