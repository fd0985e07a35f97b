import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import type { Suite } from './pods-images';
import { imagesOf } from './pods-images';
import { InstalledChart, type Wishes } from './installed-chart';

/** Adds a sentence to a story. */
export type ChartSentence = (
  title: string,
  happens: (chart: InstalledChart) => Promise<void> | void,
  timeoutMs?: number,
) => void;

/** Images are built, and with them what they stand on, where that is not there yet. */
export const INSTALL_MS = 1_200_000;
const SENTENCE_MS = 180_000;

/**
 * Tells a story of several sentences on the chart, installed as pods. Each is a test and begins where the one before it ended: after one that
 * failed, the others fail at once and say so, and the logs of all containers stay.
 */
export function chartStory(
  title: string,
  { suite, ...wishes }: { readonly suite: Suite } & Wishes,
  tell: (sentence: ChartSentence) => void,
): void {
  storyOn(title, async () => InstalledChart.install(await imagesOf(suite), wishes), tell);
}

/** The same where the story itself says how the chart comes to be there. */
export function storyOn(
  title: string,
  begin: () => Promise<InstalledChart>,
  tell: (sentence: ChartSentence) => void,
): void {
  describe(title, () => {
    let chart: InstalledChart | null = null;
    let end: string | null = null;

    beforeAll(async () => {
      chart = await begin();
    }, INSTALL_MS);
    afterAll(() => chart?.stop(end !== null), SENTENCE_MS);

    tell((sentence, happens, timeoutMs = SENTENCE_MS) => {
      const told = async (): Promise<void> => {
        if (chart === null) throw new Error('the chart was not installed');
        if (end !== null) throw new Error(`the story ended where it failed: ${end}`);
        end = sentence;
        try {
          await happens(chart);
          end = null;
        } catch (cause) {
          const { problems, logsDir } = chart.cluster;
          throw new Error([(cause as Error).message, ...problems, `(the logs: ${logsDir})`].join('\n'), { cause });
        }
      };
      test(sentence, told, timeoutMs);
    });
  });
}

/** A figure for whoever runs the tests: at once, and in a file that `tools/test` prints at its end. The report holds only what failed. */
export function tellFigure(text: string): void {
  process.stderr.write(`${text}\n`);
  const directory = join(WORKSPACE_ROOT, 'tmp', 'test-results');
  mkdirSync(directory, { recursive: true });
  appendFileSync(join(directory, 'figures.txt'), `${text}\n`);
}
