import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_SIZE, RemoteCluster, type ClusterOptions } from '@ha-postgres/local-cluster';

export type StoryOptions = Partial<Omit<ClusterOptions, 'workdir'>>;

/**
 * Tells a story on a whole cluster of real processes that has settled, and ends it afterwards, also when the story fails
 * or jest itself is killed. After a failure the work directory with all logs stays, and the error names it.
 */
export async function withCluster(
  options: StoryOptions,
  story: (cluster: RemoteCluster) => Promise<void>,
): Promise<void> {
  const workdir = realpathSync(mkdtempSync(join(tmpdir(), 'hapg-e2e-')));
  let stop: () => Promise<void> = () => Promise.resolve();
  try {
    const started = await RemoteCluster.start({ ...DEFAULT_SIZE, settings: {}, ...options, workdir });
    stop = started.stop;
    await story(started.cluster);
  } catch (cause) {
    await stop();
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${message}\n(the logs: ${join(workdir, 'logs')})`, { cause });
  }
  await stop();
  rmSync(workdir, { recursive: true, force: true });
}
