import type { ClusterOptions } from './options';
import { ownCluster, whenToldToEnd } from './owner';

/**
 * Owns a cluster until it is told to end; the exit code is 1 if it could not be started.
 * @param untilStdinEnds end also when standard input does: for a parent that must not leave a cluster behind.
 */
export async function runDaemon(options: ClusterOptions, untilStdinEnds: boolean): Promise<void> {
  const told = new AbortController();
  const end = (why: string) => {
    if (!told.signal.aborted) print(`ends: ${why}`);
    told.abort(new Error(why));
  };
  whenToldToEnd(end);
  if (untilStdinEnds) process.stdin.on('end', () => end('standard input ended')).resume();
  try {
    const owned = await ownCluster(options, { onDown: () => end('asked to'), signal: told.signal });
    await aborted(told.signal);
    await owned.stop();
    process.exit(0);
  } catch (error) {
    if (!told.signal.aborted)
      print(`failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(told.signal.aborted ? 0 : 1);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
