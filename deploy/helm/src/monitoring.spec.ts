import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { CHART, find, has, render, type Manifest } from './testing/render';
import { database, loadBalancer } from './testing/workloads';

const ROOT = join(CHART, '..', '..', '..');
const WATCHED = { monitoring: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } } };

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

const alertsIn = (manifests: readonly Manifest[]): readonly Alert[] =>
  (find(manifests, 'PrometheusRule', 'ha-postgres').spec as { groups: { rules: Alert[] }[] }).groups.flatMap(
    ({ rules }) => rules,
  );

const sources = ['db-controller', 'role-server', 'lb-syncer'].flatMap((app) =>
  readdirSync(join(ROOT, 'apps', app, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .map((path) => readFileSync(join(ROOT, 'apps', app, 'src', path), 'utf8')),
);

/** Every name in the sources that could be a metric's: the services name theirs as plain texts. */
const exported = new Set(sources.flatMap((text) => [...text.matchAll(/\b(hapg_[a-z_]+)\b/g)].map(([name]) => name)));

const ALERTS = alertsIn(render(WATCHED));

/** Names of the parts of an expression that are of this kind. */
function named(expression: string, kind: string): string[] {
  const found: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, from, to }) => {
      if (name === kind) found.push(expression.slice(from, to));
    },
  });
  return found;
}

test('the services export metrics at all', () => {
  expect(exported.size).toBeGreaterThan(10);
});

test.each(ALERTS.map((alert) => [alert.alert, alert] as const))(
  '%s is PromQL over metrics that the services export, for a time, with a severity',
  (_name, alert) => {
    expect(named(alert.expr, '⚠')).toEqual([]);
    const metrics = named(alert.expr, 'Identifier').filter((name) => name.startsWith('hapg_'));
    expect(metrics.length).toBeGreaterThan(0);
    expect(metrics.filter((name) => !exported.has(name))).toEqual([]);
    expect(alert.for).toMatch(/^\d+(s|m|h)$/);
    expect(['warning', 'critical']).toContain(alert.labels.severity);
  },
);

test.each(ALERTS.map((alert) => [alert.alert, alert] as const))('%s has its page of docs/runbooks', (name, alert) => {
  expect(alert.annotations.runbook_url).toBe(`docs/runbooks/${name}.md`);
  const page = readFileSync(join(ROOT, alert.annotations.runbook_url), 'utf8');
  expect(page).toMatch(new RegExp(`^# ${name}\n`));
  // The page tells by which metric it is seen.
  expect(named(alert.expr, 'Identifier').some((metric) => page.includes(metric))).toBe(true);
});

test('there is no page without its alert', () => {
  const pages = readdirSync(join(ROOT, 'docs', 'runbooks')).filter((file) => file !== 'README.md');
  expect(pages.sort()).toEqual(ALERTS.map(({ alert }) => `${alert}.md`).sort());
});

test('the page of published runbooks is linked where they are', () => {
  const runbooks = 'https://docs.example/runbooks';
  const [alert] = alertsIn(render({ monitoring: { prometheusRule: { enabled: true, runbooks } } }));
  expect(alert?.annotations.runbook_url).toBe(`${runbooks}/${alert?.alert ?? ''}.md`);
});

test('a single node is not asked for a candidate, nor for a lag', () => {
  const names = alertsIn(render({ db: { clusterSize: 1 }, ...WATCHED })).map(({ alert }) => alert);
  expect(names).not.toContain('HaPostgresNoCandidate');
  expect(names).not.toContain('HaPostgresReplicaLags');
  expect(names).toContain('HaPostgresNoMaster');
});

test('metrics are read where they are served: of nodes at role-server’s door, of load balancers at lb-syncer’s', () => {
  const manifests = render(WATCHED);
  expect(find(manifests, 'ServiceMonitor', 'ha-postgres').spec).toMatchObject({
    endpoints: [{ port: 'api', path: '/metrics' }],
  });
  expect(find(manifests, 'Service', 'ha-postgres').spec).toMatchObject({
    ports: expect.arrayContaining([expect.objectContaining({ name: 'api', targetPort: 'api' })]) as unknown,
  });
  const pods = find(manifests, 'PodMonitor', 'ha-postgres').spec as {
    selector: { matchLabels: object };
    podMetricsEndpoints: { port: string }[];
  };
  expect(pods.podMetricsEndpoints).toEqual([expect.objectContaining({ port: 'syncer', path: '/metrics' })]);
  expect(loadBalancer(manifests).spec.template.metadata.labels).toMatchObject(pods.selector.matchLabels);
  const ports = database(manifests).spec.template.spec.initContainers?.flatMap(({ ports = [] }) => ports) ?? [];
  expect(ports).toContainEqual(expect.objectContaining({ name: 'api', containerPort: 8080 }));
});

test('by default nothing is made for an operator that may not be there', () => {
  const manifests = render();
  for (const kind of ['ServiceMonitor', 'PodMonitor', 'PrometheusRule']) {
    expect(has(manifests, kind, 'ha-postgres')).toBe(false);
  }
});
