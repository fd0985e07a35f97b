import { hapg, typed } from './hapg';
import { masterKey } from './master-key';
import { sharedCluster } from './shared-cluster';
import { eventually } from './wait-for';

interface Shown {
  readonly master: { readonly value: { readonly node: string }; readonly isHeld: boolean };
  readonly nodes: readonly { readonly node: string; readonly source: string; readonly health: string }[];
  readonly loadBalancers: readonly { readonly master: string | null; readonly isCurrent: boolean }[];
  readonly advice: readonly unknown[];
}

const shared = sharedCluster({});

describe('an operator', () => {
  shared.story('sees a healthy cluster, and nothing that waits for a person', async (cluster) => {
    const described = cluster.describe();
    const shown = await eventually('a status without remarks', async () => {
      const status = JSON.parse(await typed(described, 'status', '--json')) as Shown;
      return status.advice.length === 0 && status.loadBalancers.every(({ isCurrent }) => isCurrent) ? status : null;
    });
    expect(shown.master).toMatchObject({ value: { node: cluster.master?.name }, isHeld: true });
    expect(shown.nodes.map(({ node, source, health }) => `${node} ${source} ${health}`)).toEqual(
      described.nodes.map(({ name }) => `${name} node ready`),
    );
    expect(shown.loadBalancers.map(({ master }) => master)).toEqual(
      described.loadBalancers.map(() => cluster.master?.name),
    );
  });

  shared.story('hands over to a node by name, and finds it in the history', async (cluster) => {
    const described = cluster.describe();
    const from = cluster.master?.name ?? '';
    const to = described.nodes.find(({ name }) => name !== from)?.name ?? '';
    expect(await typed(described, 'switchover', '--to', to, '--yes')).toContain(`${to} is Master of term`);
    expect(await masterKey(described)).toMatchObject({ node: to, phase: 'running' });
    const [last] = JSON.parse(await typed(described, 'history', '--last', '1', '--json')) as {
      node: string;
      from: string;
    }[];
    expect(last).toMatchObject({ node: to, from });
  });

  shared.story('who paused the cluster is refused a switchover, until it is resumed', async (cluster) => {
    const described = cluster.describe();
    const before = await masterKey(described);
    await typed(described, 'pause', '--why', 'a test');
    expect(await hapg(described, 'switchover', '--yes')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('hapg resume') as string,
    });
    expect(JSON.parse(await typed(described, 'status', '--json'))).toMatchObject({ pause: { why: 'a test' } });
    await typed(described, 'resume');
    expect(await masterKey(described)).toMatchObject({ node: before.node, term: before.term });
  });

  shared.story('who would lose data without need is refused: a Master runs', async (cluster) => {
    const other = cluster.describe().nodes.find(({ name }) => name !== cluster.master?.name)?.name ?? '';
    const refused = await hapg(
      cluster.describe(),
      'failover',
      '--to',
      other,
      '--accept-data-loss',
      '--why',
      'x',
      '--yes',
    );
    expect(refused).toMatchObject({
      code: 1,
      errors: expect.stringContaining(`hapg switchover --to ${other}`) as string,
    });
  });
});
