import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHART, refusal, render, type Manifest } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';
import { container, database, environmentOf, filesOf, loadBalancer, type Container } from './testing/workloads';

const PAGES = join(CHART, '..', '..', '..', 'docs', 'config');

/** The variables that a service takes, as its page of docs/config says; another test holds the page and the service together. */
function variablesOf(service: string): string[] {
  return [...readFileSync(join(PAGES, `${service}.md`), 'utf8').matchAll(/`(HAPG_[A-Z_]+)`/g)].map(
    ([, name]) => name ?? '',
  );
}

/** Which programs' variables may stand in which container. */
const PROGRAMS: readonly [string, readonly string[], (manifests: readonly Manifest[]) => Container][] = [
  ['postgres', ['postgres-runner', 'hapg'], (all) => container(database(all).spec.template.spec, 'postgres')],
  ['controller', ['db-controller'], (all) => container(database(all).spec.template.spec, 'controller')],
  ['role-server', ['role-server'], (all) => container(database(all).spec.template.spec, 'role-server')],
  ['lb-syncer', ['lb-syncer'], (all) => container(loadBalancer(all).spec.template.spec, 'lb-syncer')],
];

/** The ConfigMap with the configuration file of a container. */
const FILES_OF: Readonly<Record<string, string>> = {
  postgres: 'ha-postgres-runner',
  controller: 'ha-postgres-controller',
  'role-server': 'ha-postgres-role-server',
  'lb-syncer': 'postgres-lb',
};

const camel = (variable: string): string =>
  variable
    .replace(/^HAPG_/, '')
    .toLowerCase()
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

describe.each(Object.entries(VALUE_SETS))('%s', (_name, values) => {
  const manifests = render(values);

  test.each(PROGRAMS)('container %s is given no variable that its programs do not know', (_container, programs, of) => {
    const known = ['HAPG_CONFIG', ...programs.flatMap(variablesOf)];
    const given = (of(manifests).env ?? []).map(({ name }) => name).filter((name) => name.startsWith('HAPG_'));
    expect(given.length).toBeGreaterThan(3);
    expect(given.filter((name) => !known.includes(name))).toEqual([]);
    expect(given).toEqual([...new Set(given)]);
  });

  test('configuration files hold nothing but options of their service, none of which is a variable as well', () => {
    const files = PROGRAMS.flatMap(([name, [service = ''], of]) => {
      const yaml = Object.entries(filesOf(manifests, FILES_OF[name] ?? '')).filter(([file]) => file.endsWith('.yaml'));
      return yaml.map(([, text]) => ({ service, text, container: of(manifests) }));
    });
    expect(files.length).toBeGreaterThan(4);
    for (const { service, text, container } of files) {
      const keys = Object.keys((parse(text) ?? {}) as object);
      const known = variablesOf(service).map(camel);
      expect(keys.filter((key) => !known.includes(key))).toEqual([]);
      const variables = (container.env ?? []).map(({ name }) => camel(name));
      expect(keys.filter((key) => variables.includes(key))).toEqual([]);
    }
  });
});

test('no container says HAPG_ to a program that is not ours', () => {
  const all = render();
  const ours = PROGRAMS.map(([, , of]) => of(all).name).concat('wait-pgdata-empty');
  const others = [database(all), loadBalancer(all)]
    .flatMap(({ spec }) => [...(spec.template.spec.initContainers ?? []), ...spec.template.spec.containers])
    .filter(({ name }) => !ours.includes(name));
  expect(others.map(({ name }) => name)).toEqual(['consul', 'consul', 'haproxy']);
  for (const { env } of others) expect(JSON.stringify(env ?? [])).not.toContain('HAPG_');
});

test('each node reads a file of its own, with what is of this node alone', () => {
  const all = render({ db: { nodes: { '2': { noFailover: true } }, controller: { options: { rejoin: 'never' } } } });
  const data = filesOf(all, 'ha-postgres-controller');
  const file = (pod: string) => {
    const { HAPG_CONFIG = '' } = environmentOf(container(database(all).spec.template.spec, 'controller'), {
      POD_NAME: pod,
    });
    return parse(data[HAPG_CONFIG.split('/').at(-1) ?? ''] ?? '') as unknown;
  };
  expect(file('ha-postgres-2')).toEqual({ rejoin: 'never', noFailover: true });
  expect(file('ha-postgres-0')).toEqual({ rejoin: 'never' });
  // A cluster that is made larger by `kubectl scale` finds its files, too.
  expect(file('ha-postgres-9')).toEqual({ rejoin: 'never' });
});

test('settings of PostgreSQL come to the runner as they were meant, large numbers and commas included', () => {
  const settings = { max_connections: 1000000, log_connections: true, shared_preload_libraries: 'a,b', x: 0.5 };
  const data = filesOf(render({ db: { postgres: { settings } } }), 'ha-postgres-runner');
  expect(parse(data['runner.yaml'] ?? '')).toEqual({
    settings: ['log_connections=on', 'max_connections=1000000', 'shared_preload_libraries=a,b', 'x=0.5'],
  });
});

test('an option that there is not, or one that the chart sets itself, is refused by name', () => {
  expect(refusal({ db: { controller: { options: { leaseDuratoin: '3s' } } } })).toContain('leaseDuratoin');
  expect(refusal({ db: { controller: { options: { dataDir: '/data' } } } })).toContain('dataDir');
  expect(refusal({ db: { controller: { options: { rejoin: 'sometimes' } } } })).toContain('rejoin');
  expect(refusal({ lb: { syncer: { options: { holdTimeout: 5 } } } })).toContain('holdTimeout');
  expect(refusal({ db: { nodes: { '1': { rejoin: 'never' } } } })).toContain('rejoin');
  expect(refusal({ db: { clusterSise: 3 } })).toContain('clusterSise');
  expect(refusal({ db: { postgres: { extraEnv: [{ name: 'HAPG_PORT', value: '1' }] } } })).toContain('extraEnv/0/name');
});
