import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, monotonicNow, type Log } from '@ha-postgres/service-kit';

/**
 * Waits for the end of its standard input, which is the end of the runner however that ended; then kills every process
 * whose working directory is the data directory until none is left (a dead process that is not reaped has none). Only
 * builtins before the first kill, so that it takes a few milliseconds; `-ef` compares the directories themselves.
 */
const SCRIPT = `
dir=$1
cd /
trap '' HUP INT TERM
while read -r _; do :; done
while :; do
  found=
  for link in /proc/[0-9]*/cwd; do
    if [ "$link" -ef "$dir" ]; then
      found=1
      pid=\${link#/proc/}
      kill -9 "\${pid%/cwd}" 2>/dev/null
    fi
  done
  [ -n "$found" ] || exit 0
  sleep 0.005 2>/dev/null || sleep 1
done
`;

/** Field 22 of /proc/PID/stat: when the process started; with the pid it names one process of this boot. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/**
 * PostgreSQL dies with the runner: a tiny process in a session of its own, which the runner's SIGKILL does not reach.
 * In a container the end of PID 1 does the same; where there is no PID namespace, this is all there is.
 */
export class Guard {
  readonly #dataDir: string;
  readonly #pidFile: string;
  readonly #log: Log;
  #child: ChildProcess | null = null;
  #isClosed = false;
  #startedAt = 0;

  constructor(dataDir: string, stateDir: string, log: Log) {
    this.#dataDir = dataDir;
    this.#pidFile = join(stateDir, 'guard.pid');
    this.#log = log;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Ends the guard of a runner that is gone: still at its work, it would kill what this runner starts. To be called
   * before this runner does the same work.
   */
  endPredecessor(): void {
    if (!existsSync(this.#pidFile)) return;
    const [pid = '', startTime = ''] = readFileSync(this.#pidFile, 'utf8').trim().split(' ');
    if (!/^\d+$/.test(pid) || startTimeOf(Number(pid)) !== startTime) return;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      this.#log.debug({ event: 'guard.gone', err: messageOf(error) }, 'the guard before this one is gone');
    }
  }

  /** Starts the guard, and another one whenever it dies. */
  start(): void {
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'postgres-runner-guard', this.#dataDir], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    });
    this.#child = child;
    this.#startedAt = monotonicNow();
    // The runner's end must not wait for the guard, and a dead guard's pipe is no reason to fail.
    child.unref();
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => this.#again(error.message));
    child.once('exit', (code, signal) => this.#again(signal ?? `code ${String(code)}`));
    if (child.pid !== undefined) writeFileSync(this.#pidFile, `${child.pid} ${startTimeOf(child.pid) ?? ''}\n`);
  }

  /** Nothing is left to guard. */
  close(): void {
    this.#isClosed = true;
    this.#child?.stdin?.end();
    rmSync(this.#pidFile, { force: true });
  }

  #again(how: string): void {
    if (this.#isClosed) return;
    this.#log.warn({ event: 'guard.ended', how }, 'the guard has ended: starting another');
    const livedMs = monotonicNow() - this.#startedAt;
    setTimeout(
      () => {
        if (!this.#isClosed) this.start();
      },
      livedMs > SETTLED_MS ? 0 : RESTART_MS,
    );
  }
}

/** If it cannot be started at all, trying must not eat the machine; one that was killed is missed at once. */
const RESTART_MS = 100;
const SETTLED_MS = 500;
