import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Parts } from './parts';

const POLL_MS = 10;

/** In the order in which a switchover comes by. */
export type Failpoint =
  | 'switchover-accepted'
  | 'switchover-draining'
  | 'switchover-stopped'
  | 'switchover-released'
  | 'before-promote'
  | 'before-running'
  /** A Master is about to write the list of members. */
  | 'before-members';

/**
 * A place where tests hold or kill this controller at an exact moment, which no signal from outside could hit. Switched off
 * unless option `failpoints` is on; then the file `failpoint-NAME` in the state directory says `kill` (once), or `wait`
 * (as long as it is there).
 */
export async function failpoint(
  { config, log, clock }: Pick<Parts, 'config' | 'log' | 'clock'>,
  name: Failpoint,
): Promise<void> {
  const path = join(config.stateDir, `failpoint-${name}`);
  if (!config.failpoints || !existsSync(path)) return;
  const what = readFileSync(path, 'utf8').trim();
  log.warn({ event: 'failpoint', name, what }, `failpoint ${name}: ${what}`);
  if (what === 'kill') {
    rmSync(path);
    process.kill(process.pid, 'SIGKILL');
  }
  while (existsSync(path)) await clock.pause(POLL_MS);
}
