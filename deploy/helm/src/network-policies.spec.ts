import { find, has, render, type Manifest, type Values } from './testing/render';
import { containersOf, consulServers, database, loadBalancer } from './testing/workloads';

type Labels = Readonly<Record<string, string>>;

interface Peer {
  readonly podSelector?: { readonly matchLabels?: Labels };
  readonly namespaceSelector?: { readonly matchLabels?: Labels };
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly ports: readonly { readonly port: number; readonly protocol?: string }[];
}

interface Policy {
  readonly podSelector: { readonly matchLabels: Labels };
  readonly policyTypes: readonly string[];
  readonly ingress: readonly Rule[];
}

const OURS = ['db', 'lb', 'consul', 'test'] as const;
const labelsOf = (component: string): Labels => ({
  'app.kubernetes.io/name': 'ha-postgres',
  'app.kubernetes.io/instance': 'trial',
  'app.kubernetes.io/component': component,
});
/** Other pods of the namespace, and of another. */
const STRANGERS = {
  neighbour: { labels: { app: 'shop' }, namespace: 'db' },
  foreigner: { labels: { app: 'shop' }, namespace: 'elsewhere' },
} as const;

const matches = (selector: { readonly matchLabels?: Labels }, labels: Labels): boolean =>
  Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value);

function admits({ podSelector, namespaceSelector }: Peer, labels: Labels, namespace: string): boolean {
  const isThere =
    namespaceSelector === undefined
      ? namespace === 'db'
      : matches(namespaceSelector, { 'kubernetes.io/metadata.name': namespace });
  return isThere && matches(podSelector ?? {}, labels);
}

/** Who reaches which ports of a pod, as a network plugin that obeys would have it. */
function reach(manifests: readonly Manifest[], policy: string): Record<string, readonly number[]> {
  const { ingress } = find(manifests, 'NetworkPolicy', policy).spec as Policy;
  const portsFor = (labels: Labels, namespace: string): readonly number[] => {
    const open = ingress.filter(({ from }) => from?.some((peer) => admits(peer, labels, namespace)) ?? true);
    return [...new Set(open.flatMap(({ ports }) => ports.map(({ port }) => port)))].sort((a, b) => a - b);
  };
  return Object.fromEntries([
    ...OURS.map((component) => [component, portsFor(labelsOf(component), 'db')] as const),
    ...Object.entries(STRANGERS).map(([name, { labels, namespace }]) => [name, portsFor(labels, namespace)] as const),
  ]);
}

const reached = (policy: string, values: Values = {}) => reach(render(values), policy);

describe('by default', () => {
  test('PostgreSQL is reached by load balancers and Replicas; role-server by the namespace as well, for metrics', () => {
    expect(reached('ha-postgres')).toEqual({
      ...{ db: [5432, 8080, 8301], lb: [5432, 8080, 8301], consul: [8080, 8301] },
      ...{ test: [8080], neighbour: [8080], foreigner: [] },
    });
  });

  test('clients reach the load balancers from everywhere; the Runtime API for people from the namespace', () => {
    expect(reached('postgres-lb')).toEqual({
      ...{
        db: [5432, 5433, 8080, 8301, 9999],
        lb: [5432, 5433, 8080, 8301, 9999],
        consul: [5432, 5433, 8080, 8301, 9999],
      },
      ...{ test: [5432, 5433, 8080, 9999], neighbour: [5432, 5433, 8080, 9999], foreigner: [5432, 5433] },
    });
  });

  test('Consul, where whoever writes could name the Master, is reached by nobody else', () => {
    const all = [8300, 8301, 8500];
    expect(reached('consul')).toEqual({ db: all, lb: all, consul: all, test: [], neighbour: [], foreigner: [] });
  });

  test('each policy is of the pods that it is about, and every port of theirs that it opens is one that they have', () => {
    const manifests = render();
    for (const [name, workload] of [
      ['ha-postgres', database],
      ['postgres-lb', loadBalancer],
      ['consul', consulServers],
    ] as const) {
      const policy = find(manifests, 'NetworkPolicy', name).spec as Policy;
      const { template } = workload(manifests).spec;
      expect(template.metadata.labels).toMatchObject(policy.podSelector.matchLabels);
      const has = containersOf(template.spec).flatMap(({ ports = [] }) => ports.map((port) => port.containerPort));
      for (const { port } of policy.ingress.flatMap(({ ports }) => ports)) expect(has).toContain(port);
    }
  });
});

test('switched off, there is none', () => {
  const manifests = render({ networkPolicy: { enabled: false } });
  expect(manifests.filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
});

describe('asked for', () => {
  test('clients from elsewhere only, and still the pod of helm test', () => {
    const clientsFrom = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'elsewhere' } } }];
    const who = reached('postgres-lb', { networkPolicy: { clientsFrom } });
    expect(who.foreigner).toEqual([5432, 5433]);
    expect(who.test).toEqual(expect.arrayContaining([5432, 5433]));
    expect(who.neighbour).toEqual([8080, 9999]);
  });

  test('metrics for Prometheus’ namespace only; PostgreSQL past the load balancers for who makes backups', () => {
    const metricsFrom = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'elsewhere' } } }];
    const postgresFrom = [{ podSelector: { matchLabels: { app: 'shop' } } }];
    const who = reached('ha-postgres', { networkPolicy: { metricsFrom, postgresFrom } });
    expect(who).toMatchObject({ neighbour: [5432], foreigner: [8080] });
    expect(reached('postgres-lb', { networkPolicy: { metricsFrom } }).neighbour).toEqual([5432, 5433]);
  });

  test('with replication through the load balancers databases reach its listener, and nobody else', () => {
    const who = reached('postgres-lb', { db: { controller: { options: { replicationVia: 'lb' } } } });
    const may = Object.entries(who).filter(([, ports]) => ports.includes(5434));
    expect(may.map(([name]) => name)).toEqual(['db']);
  });

  test('with an external Consul its servers and agents may gossip with ours', () => {
    const values = { consul: { external: { enabled: true, retryJoin: ['a'] } } };
    expect(has(render(values), 'NetworkPolicy', 'consul')).toBe(false);
    expect(reached('ha-postgres', values).foreigner).toEqual([8301]);
    expect(reached('ha-postgres').foreigner).toEqual([]);
  });
});
