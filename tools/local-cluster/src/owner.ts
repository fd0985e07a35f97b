import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { carryOut } from './carry-out';
import { serveControl } from './control';
import { LocalCluster } from './local-cluster';
import type { ClusterOptions } from './options';
import type { Programs } from './workspace';

/** The path of the socket on which the owner of the cluster in `workdir` takes commands. */
export function controlSocket(workdir: string): string {
  return join(workdir, 'control.sock');
}

/** A started cluster that takes commands from other processes until it is stopped. */
export interface OwnedCluster {
  readonly cluster: LocalCluster;
  /** Ends everything; a second call waits for the first. */
  readonly stop: (graceMs?: number) => Promise<void>;
}

export interface OwnerOptions {
  /** Called when somebody asked for `down`. */
  readonly onDown: () => void;
  readonly signal?: AbortSignal;
  readonly programs?: Programs;
}

/** Starts a cluster and its control socket. If starting fails, what was started is ended first. */
export async function ownCluster(
  options: ClusterOptions,
  { onDown, signal, programs }: OwnerOptions,
): Promise<OwnedCluster> {
  const cluster = await LocalCluster.open(options, programs);
  const path = controlSocket(cluster.layout.workdir);
  // Left by an owner that was killed; a living one has been ruled out by then.
  rmSync(path, { force: true });
  const server = await serveControl(path, (command) => carryOut(cluster, command, onDown));
  let stopping: Promise<void> | null = null;
  const stop = (graceMs?: number) => {
    server.close();
    return (stopping ??= cluster.stop(graceMs));
  };
  try {
    await cluster.start(signal);
  } catch (error) {
    await stop(0);
    throw error;
  }
  return { cluster, stop };
}

/**
 * Calls back once when this process is to end: SIGINT, SIGTERM or SIGHUP, or, if it runs under tini (which adopts and
 * reaps what its children leave), when tini is gone.
 */
export function whenToldToEnd(end: (why: string) => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal));
  const parent = process.ppid;
  if (!isTini(parent)) return;
  setInterval(() => {
    if (process.ppid !== parent) end('tini is gone');
  }, 250).unref();
}

function isTini(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'tini';
  } catch {
    return false;
  }
}
