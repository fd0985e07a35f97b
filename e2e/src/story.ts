import type { RemoteCluster } from '@ha-postgres/local-cluster';
import { sharedCluster } from './shared-cluster';
import type { StoryOptions } from './with-cluster';

/** Adds a sentence to a story. */
export type Sentence = (title: string, happens: (cluster: RemoteCluster) => Promise<void>) => void;

/**
 * Tells a story of several sentences on one cluster. Each is a test and begins where the one before it ended: after one that
 * failed, the others fail at once and say so.
 */
export function story(title: string, options: StoryOptions, tell: (sentence: Sentence) => void): void {
  describe(title, () => {
    const shared = sharedCluster(options);
    let end: string | null = null;
    tell((sentence, happens) => {
      shared.story(sentence, async (cluster) => {
        if (end !== null) throw new Error(`the story ended where it failed: ${end}`);
        try {
          await happens(cluster);
        } catch (error) {
          end = sentence;
          throw error;
        }
      });
    });
  });
}
