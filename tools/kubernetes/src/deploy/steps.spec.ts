import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '../programs';
import { commandLine } from './command-line';
import { LOCAL_PREFIX, VALUE_OF_IMAGE, VALUE_OF_VARIABLE, shippedImages } from './images';
import type { Place } from './place';
import { parseValue, stepsOf, type Order } from './steps';

const workplace = { root: '/w', helm: 'helm', node: 'node' };
const kind: Place = { context: 'kind-trial', kind: 'kind', name: 'trial' };
const order = (given: Partial<Order> = {}): Order => ({
  namespace: 'db',
  release: 'ha-postgres',
  place: kind,
  registry: null,
  tag: 't1',
  images: shippedImages('t1', given.registry ?? null, {}),
  values: [],
  timeout: '10m',
  ...given,
});
const lines = (given?: Partial<Order>): string[] => stepsOf(order(given), workplace).map(commandLine);
const SAVE =
  'node /w/tools/container-command.mjs save /w/tmp/deploy/images.tar ' +
  ['ha-postgres', 'db-controller', 'role-server', 'lb-syncer'].map((name) => `${LOCAL_PREFIX}${name}:t1`).join(' ');

describe('the commands of a deployment', () => {
  it('judge the values, build, put the images into the cluster, install and wait, in this order', () => {
    const set = Object.entries(VALUE_OF_IMAGE).map(([name, value]) => `--set=${value}=${LOCAL_PREFIX}${name}:t1`);
    expect(lines()).toEqual([
      ['helm template ha-postgres /w/deploy/helm/ha-postgres --namespace=db', ...set].join(' '),
      `IMAGE_PREFIX=${LOCAL_PREFIX} IMAGE_TAG=t1 NX_DAEMON=false npx nx run-many -t image --output-style=static`,
      SAVE,
      'kind load image-archive /w/tmp/deploy/images.tar --name=trial',
      [
        'helm upgrade --install ha-postgres /w/deploy/helm/ha-postgres',
        '--kube-context=kind-trial --namespace=db --create-namespace --wait --timeout=10m',
        ...set,
      ].join(' '),
    ]);
  });

  it.each([
    [{ context: 'minikube', kind: 'minikube', name: 'minikube' }, 'minikube --profile=minikube image load'],
    [{ context: 'k3d-x', kind: 'k3d', name: 'x' }, 'k3d image import'],
  ] as const)('%o gets the images by its own tool', (place, command) => {
    expect(lines({ place })[2]).toBe(SAVE);
    expect(lines({ place })[3]).toContain(`${command} /w/tmp/deploy/images.tar`);
  });

  it('push to a registry under its name, and install them from there, whatever cluster it is', () => {
    const registry = 'registry.example/team';
    const place: Place = { context: 'production', kind: 'other', name: 'production' };
    const all = lines({ registry, place });
    const tool = 'node /w/tools/container-command.mjs run';
    expect(all.filter((line) => line.startsWith(tool)).slice(0, 2)).toEqual([
      `${tool} tag ${LOCAL_PREFIX}ha-postgres:t1 ${registry}/ha-postgres:t1`,
      `${tool} push ${registry}/ha-postgres:t1`,
    ]);
    expect(all.at(-1)).toContain(`--set=db.controller.image=${registry}/db-controller:t1`);
    expect(all.join('\n')).not.toContain('images.tar');
  });

  it('give the values of the user last, so that they win, in their order', () => {
    const values = [{ file: '/v/a b.yaml' }, { setting: 'db.clusterSize=5' }];
    for (const line of [lines({ values })[0], lines({ values }).at(-1)])
      expect(line).toMatch(/lb-syncer:t1 '--values=\/v\/a b\.yaml' --set=db\.clusterSize=5$/);
  });

  it('cannot put images into a cluster that nothing is known of', () => {
    expect(() => lines({ place: { context: 'production', kind: 'other', name: 'production' } })).toThrow('production');
  });
});

describe('the images of a deployment', () => {
  it('are those of the Dockerfile, and stand-ins where variables name them', () => {
    const bases = { HAPROXY_IMAGE: 'localhost/bases/haproxy:2.6', CONSUL_IMAGE: 'registry.example/consul:1.22' };
    expect(shippedImages('t1', 'r.example', bases).slice(4)).toEqual([
      { value: 'lb.haproxy.image', here: 'localhost/bases/haproxy:2.6', there: 'r.example/haproxy:2.6' },
      { value: 'consul.image', here: 'registry.example/consul:1.22', there: 'registry.example/consul:1.22' },
    ]);
    expect(shippedImages('t1', null, bases)[4]?.there).toBe('localhost/bases/haproxy:2.6');
  });

  it('are not brought where the cluster pulls them itself', () => {
    const images = shippedImages('t1', null, { CONSUL_IMAGE: 'registry.example/consul:1.22' });
    expect(lines({ images })[2]).toBe(SAVE);
    expect(lines({ images }).at(-1)).toContain('--set=consul.image=registry.example/consul:1.22');
  });

  it('are all that tools/image-names.mjs knows, and every value is one of the chart', () => {
    const names = readFileSync(join(WORKSPACE_ROOT, 'tools', 'image-names.mjs'), 'utf8');
    const targets = [...names.matchAll(/^ {2}'([a-z-]+)': \{/gm)].map((match) => match[1]);
    expect(Object.keys(VALUE_OF_IMAGE)).toEqual(targets);
    const chart = readFileSync(join(WORKSPACE_ROOT, 'deploy', 'helm', 'ha-postgres', 'README.md'), 'utf8');
    for (const value of [...Object.values(VALUE_OF_IMAGE), ...Object.values(VALUE_OF_VARIABLE)])
      expect(chart).toContain(`| \`${value}\` `);
  });
});

test('a value is a file that is there, or a setting', () => {
  const isFile = (name: string) => name === 'mine.yaml';
  expect(parseValue('mine.yaml', isFile)).toEqual({ file: 'mine.yaml' });
  expect(parseValue('db.nodes.2.noFailover=true', isFile)).toEqual({ setting: 'db.nodes.2.noFailover=true' });
  expect(() => parseValue('other.yaml', isFile)).toThrow('"other.yaml": give a file of values that is there');
  expect(() => parseValue('--wait', isFile)).toThrow('key=value');
});
