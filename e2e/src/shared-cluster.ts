import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_SIZE, RemoteCluster } from '@ha-postgres/local-cluster';
import type { StoryOptions } from './with-cluster';

export interface SharedCluster {
  /** Tells one story on the cluster; an error names the logs, which then stay. */
  story(title: string, tell: (cluster: RemoteCluster) => Promise<void>): void;
}

/** One cluster for all stories of a file: started before the first, ended after the last, however they end. */
export function sharedCluster(options: StoryOptions): SharedCluster {
  const workdir = realpathSync(mkdtempSync(join(tmpdir(), 'hapg-e2e-')));
  let started: { cluster: RemoteCluster; stop: () => Promise<void> } | null = null;
  let hasFailed = false;

  beforeAll(async () => {
    started = await RemoteCluster.start({ ...DEFAULT_SIZE, settings: {}, ...options, workdir });
  });
  afterAll(async () => {
    await started?.stop();
    if (!hasFailed) rmSync(workdir, { recursive: true, force: true });
  });
  return {
    story: (title, tell) => {
      it(title, async () => {
        if (started === null) throw new Error('the cluster has not been started');
        try {
          await tell(started.cluster);
        } catch (cause) {
          hasFailed = true;
          throw new Error(`${messageOf(cause)}\n(the logs: ${join(workdir, 'logs')})`, { cause });
        }
      });
    },
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
