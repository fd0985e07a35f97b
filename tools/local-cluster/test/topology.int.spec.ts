import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processesUnder } from '../src/processes';
import { RemoteCluster } from '../src/remote-cluster';
import { waitFor } from '../src/waiting';
import { standInCluster } from './support';

const soon = { timeoutMs: 15_000, everyMs: 20 };

/** What Consul's server says of the agents in its catalogue. */
async function catalogue(cluster: RemoteCluster): Promise<string[]> {
  const answer = await fetch(`${cluster.describe().consul.http}/v1/catalog/nodes`);
  return ((await answer.json()) as { Node: string }[]).map((agent) => agent.Node);
}

describe('a cluster of stand-ins that grows and shrinks while it runs', () => {
  let owned: Awaited<ReturnType<typeof standInCluster>>;
  let remote: RemoteCluster;

  beforeAll(async () => {
    owned = await standInCluster({ nodes: 2, loadBalancers: 1 });
    remote = new RemoteCluster(owned.workdir);
    await waitFor(() => remote.master !== null, { what: 'a Master', ...soon });
  });
  afterAll(async () => {
    await owned.end();
  });

  it('starts one more node with options of its own, beside those of all, and knows it when it is brought up again', async () => {
    await remote.addNode('node2', { noLoadBalance: 'true' });
    await waitFor(() => remote.node('node2').role === 'Replica', { what: 'node2', ...soon });
    const log = readFileSync(join(owned.workdir, 'logs', 'node2-db-controller.log'), 'utf8');
    expect(JSON.parse(log.split('\n')[0] ?? '')).toMatchObject({ node: 'node2', leaseDuration: '5s' });
    const { nodes } = JSON.parse(readFileSync(join(owned.workdir, 'layout.json'), 'utf8')) as {
      nodes: { name: string; settings?: object }[];
    };
    expect(nodes.map(({ name, settings }) => [name, settings])).toEqual([
      ['node0', undefined],
      ['node1', undefined],
      ['node2', { noLoadBalance: 'true' }],
    ]);
    const ports = remote.describe().nodes.map(({ postgresPort }) => postgresPort);
    expect(new Set(ports).size).toBe(3);
    await waitFor(async () => (await catalogue(remote)).includes('node2'), { what: 'its agent', ...soon });
  });

  it.each([
    ['node1', 'in the cluster already'],
    ['node10', 'no name of a node'],
    ['lb7', 'no name of a node'],
  ])('refuses to add %s, with the reason', async (name, reason) => {
    await expect(remote.addNode(name)).rejects.toThrow(reason);
  });

  it.each([
    ['node0', 'is the Master'],
    ['lb0', 'is no node'],
    ['node7', 'no member "node7"'],
  ])('refuses to remove %s, with the reason', async (name, reason) => {
    await expect(remote.removeNode(name)).rejects.toThrow(reason);
  });

  it('removes a node with all that is left of it, and may add it again', async () => {
    const dir = join(owned.workdir, 'node2');
    await remote.removeNode('node2');
    expect(processesUnder(dir)).toEqual([]);
    expect(existsSync(dir)).toBe(false);
    expect(remote.describe().nodes.map(({ name }) => name)).toEqual(['node0', 'node1']);
    await waitFor(async () => !(await catalogue(remote)).includes('node2'), { what: 'its agent gone', ...soon });
    await remote.addNode('node2');
    await waitFor(() => remote.node('node2').role === 'Replica', { what: 'node2', ...soon });
  });
});
