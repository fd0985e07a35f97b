import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, render } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';
import { consulServers, containersOf, database, loadBalancer, pods } from './testing/workloads';

const APPS = join(CHART, '..', '..', '..', 'apps');

/** The paths that a service answers, as its source names them. */
const pathsOf = (source: string): string[] =>
  [...readFileSync(join(APPS, source), 'utf8').matchAll(/['"](\/[a-z/]+)['"]/g)].map(([, path]) => path ?? '');

const probes = (values = {}) =>
  pods(render(values)).flatMap(({ spec }) =>
    containersOf(spec).flatMap((one) =>
      (['livenessProbe', 'readinessProbe'] as const).flatMap((kind) => {
        const probe = one[kind];
        return probe === undefined ? [] : [{ container: one, kind, probe }];
      }),
    ),
  );

test.each(Object.entries(VALUE_SETS))('every probe asks a port that the container names: %s', (_name, values) => {
  expect(probes(values).length).toBeGreaterThan(4);
  for (const { container, probe } of probes(values)) {
    const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
    expect(container.ports?.map(({ name }) => name)).toContain(port);
  }
});

test('every path that is asked of our services is one that they answer', () => {
  const known = new Map([
    ['role-server', pathsOf('role-server/src/routes.ts')],
    ['lb-syncer', pathsOf('lb-syncer/src/http.ts')],
  ]);
  const asked = probes().flatMap(({ container, probe }) =>
    known.has(container.name) ? [[container.name, probe.httpGet?.path] as const] : [],
  );
  expect(asked).toHaveLength(3);
  for (const [service, path] of asked) expect(known.get(service)).toContain(path);
});

test('what ends a container asks for nothing that a silent Consul changes', () => {
  const liveness = probes().filter(({ kind }) => kind === 'livenessProbe');
  const asked = liveness.map(({ container, probe }) => `${container.name} ${probe.httpGet?.path ?? 'port open'}`);
  expect(new Set(asked)).toEqual(new Set(['consul port open', 'role-server /liveness', 'haproxy port open']));
});

test('neither the Master’s PostgreSQL nor its controller is ended by a probe at all', () => {
  const { spec } = database(render()).spec.template;
  for (const name of ['postgres', 'controller']) {
    const one = containersOf(spec).find((found) => found.name === name);
    expect(one?.livenessProbe).toBeUndefined();
  }
});

test('load balancers stay in their service while Consul is silent: /healthz, which would fail, is not asked', () => {
  for (const { spec } of [loadBalancer(render()), consulServers(render())]) {
    expect(JSON.stringify(spec)).not.toContain('/healthz');
  }
});
