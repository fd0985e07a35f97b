import { eventually } from '../wait-for';
import { loadOnChart } from './chart-load';
import { chartStory, tellFigure } from './chart-story';
import type { InstalledChart, Values } from './installed-chart';
import { ownImages, tagAgain } from './pods-images';

const SUITE = 'trixie';
const NEXT_TAG = 'trixie-next';
const WRITES = 100;
/** A member is taken off the list when it has been silent for 30 s. */
const FORGET_MS = 90_000;

const namesOf = (count: number): string[] => Array.from({ length: count }, (_, ordinal) => `ha-postgres-${ordinal}`);
const sized = (clusterSize: number): Values => ({ db: { clusterSize } });

chartStory('The chart, upgraded', { suite: SUITE }, (sentence) => {
  sentence('from three to five nodes: the new ones stream, and are members', async (chart) => {
    await chart.upgrade(sized(5));
    await eventually('five pods', () => chart.nodes.length === 5);
    await chart.cluster.settled();
    for (const name of ['ha-postgres-3', 'ha-postgres-4']) {
      await eventually(`${name} to stream`, async () => (await chart.status(name))?.streaming);
    }
    await eventually('five members', async () => (await membersOf(chart)).length === 5);
  });

  sentence(
    'from five to three, where the Master is one of those that go: another takes over, and nothing is lost',
    async (chart) => {
      await chart.hapg('ha-postgres-0', 'switchover', '--to', 'ha-postgres-4', '--yes', '--wait', '30s');
      await eventually('ha-postgres-4 to be Master', async () => (await chart.master()) === 'ha-postgres-4');
      const load = await loadOnChart(chart);
      try {
        await load.moreWrites(WRITES);
        await chart.upgrade(sized(3));
        await eventually('three pods', () => chart.cluster.pods.filter(isNode).length === 3);
        await load.moreWrites(WRITES);
        await chart.cluster.settled();
        const verdict = await load.finish();
        expect(verdict.violations).toEqual([]);
        tellFigure(`${SUITE}: 5 -> 3 nodes with the Master: write outage ${Math.round(verdict.writeOutageMs ?? 0)} ms`);
      } finally {
        await load.stop();
      }
      expect(chart.nodes.map(({ name }) => name)).toEqual(namesOf(3));
      expect(namesOf(3)).toContain(await chart.master());
    },
  );

  sentence('those that went leave the list of members; their volumes stay', async (chart) => {
    await eventually(
      'three members',
      async () => {
        const members = await membersOf(chart);
        return members.length === 3 && namesOf(3).every((name) => members.includes(name));
      },
      FORGET_MS,
    );
    expect(chart.cluster.claims).toContain('data-ha-postgres-4');
  });

  sentence('a rolling change of all images takes one switchover, and loses nothing', async (chart) => {
    const first = 'ha-postgres-0';
    // The last one to be replaced: from any other, those that take over may have to hand over once more.
    if ((await chart.master()) !== first)
      await chart.hapg(first, 'switchover', '--to', first, '--yes', '--wait', '30s');
    await eventually(`${first} to be Master`, async () => (await chart.master()) === first);
    const before = (await chart.status(first))?.term ?? 0;
    await tagAgain(SUITE, NEXT_TAG);
    const load = await loadOnChart(chart);
    try {
      await load.moreWrites(WRITES);
      const old = chart.cluster.pods;
      await chart.upgrade(ownImages(NEXT_TAG));
      await eventually('every pod that uses them to be replaced', () => isReplaced(chart, old), 150_000);
      await load.moreWrites(WRITES);
      const verdict = await load.finish();
      expect(verdict.violations).toEqual([]);
      tellFigure(`${SUITE}: rolling change of images: write outage ${Math.round(verdict.writeOutageMs ?? 0)} ms`);
    } finally {
      await load.stop();
    }
    const master = await eventually('a Master', () => chart.master());
    expect((await chart.status(master))?.term).toBe(before + 1);
    for (const { planned } of chart.nodes) {
      expect(planned.spec.containers[0]?.image.endsWith(`:${NEXT_TAG}`)).toBe(true);
    }
  });
});

const isNode = ({ name }: { readonly name: string }): boolean => name.startsWith('ha-postgres-');
const isConsul = ({ name }: { readonly name: string }): boolean => name.startsWith('consul-');

/** No pod of before is there but Consul's servers, and all pods are ready. */
function isReplaced({ cluster }: InstalledChart, before: readonly object[]): boolean {
  return cluster.isSettled && cluster.pods.every((pod) => isConsul(pod) || !before.includes(pod));
}

/** The names on the list, as an operator sees them. */
async function membersOf(chart: InstalledChart): Promise<string[]> {
  const status = await chart.hapg('ha-postgres-0', 'status');
  const line = /^Members +(.*)$/m.exec(status)?.[1] ?? '';
  return line.split(', ');
}
