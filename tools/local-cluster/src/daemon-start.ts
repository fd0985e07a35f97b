import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTLE_MS } from './carry-out';
import { clusterArguments } from './command-options';
import { askOwner } from './control';
import { controlSocket } from './owner';
import type { ClusterOptions } from './options';
import { waitFor } from './waiting';
import { onPath, WORKSPACE_ROOT } from './workspace';

/** The control socket appears before Consul is there; a slow machine needs a while to start Node. */
const SOCKET_MS = 30_000;

/**
 * Starts a process that owns a cluster, in the background and under tini where there is one, so that processes that
 * lose their parent are reaped at once. Resolves when the cluster has settled.
 * @param tied the cluster ends with this process, however this one ends.
 * @throws Error with the end of the daemon's log if the cluster could not be started or does not settle.
 */
export async function startDaemon(options: ClusterOptions, tied: boolean): Promise<ChildProcess> {
  mkdirSync(join(options.workdir, 'logs'), { recursive: true });
  const logFile = join(options.workdir, 'logs', 'daemon.log');
  const log = openSync(logFile, 'a');
  const [command, ...args] = daemonCommand(options, tied);
  const child = spawn(command ?? process.execPath, args, {
    stdio: [tied ? 'pipe' : 'ignore', log, log],
    detached: true,
    cwd: '/',
  });
  closeSync(log);
  try {
    await comesUp(child, options.workdir);
  } catch (error) {
    child.kill('SIGTERM');
    throw new Error(`${(error as Error).message}\n${lastLines(logFile)}`, { cause: error });
  }
  return child;
}

async function comesUp(child: ChildProcess, workdir: string): Promise<void> {
  const socket = controlSocket(workdir);
  const given = new AbortController();
  child.once('exit', (code, signal) => {
    given.abort(new Error(`the cluster's owner ended by ${signal ?? `code ${code ?? 'unknown'}`}`));
  });
  child.once('error', (error) => {
    given.abort(error);
  });
  const { signal } = given;
  await waitFor(() => existsSync(socket), { what: socket, timeoutMs: SOCKET_MS, signal });
  await waitFor(() => askSettled(socket), { what: 'a settled cluster', timeoutMs: SETTLE_MS, everyMs: 200, signal });
}

/** A socket file may be there shortly before somebody listens, or be left from before. */
async function askSettled(socket: string): Promise<boolean> {
  await askOwner(socket, { do: 'settled' }, SETTLE_MS + 10_000);
  return true;
}

function daemonCommand(options: ClusterOptions, tied: boolean): string[] {
  const script = join(WORKSPACE_ROOT, 'tools', 'local-cluster', 'dist', 'cluster.js');
  const daemon = [
    process.execPath,
    script,
    'daemon',
    ...clusterArguments(options),
    ...(tied ? ['--until-stdin-ends'] : []),
  ];
  const tini = onPath('tini');
  return existsSync(tini) ? [tini, '-s', '--', ...daemon] : daemon;
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
}
