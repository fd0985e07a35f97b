import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART, find, has, helm, manifestsIn, render } from './testing/render';
import { container, containersOf, database, environmentOf, filesOf } from './testing/workloads';

const pod = (values = {}) => database(render(values)).spec.template.spec;

describe('by default', () => {
  test('there are three nodes of the containers that users know, each with a volume of its own', () => {
    const { spec } = database(render());
    expect(spec).toMatchObject({ replicas: 3, serviceName: 'ha-postgres', podManagementPolicy: 'Parallel' });
    const names = containersOf(spec.template.spec).map(({ name }) => name);
    expect(names).toEqual(['wait-pgdata-empty', 'consul', 'role-server', 'controller', 'postgres']);
    expect(spec.volumeClaimTemplates).toMatchObject([
      { metadata: { name: 'data' }, spec: { resources: { requests: { storage: '10Gi' } } } },
    ]);
  });

  test('postgres ends first and the others in the reverse order, so that a Master that is stopped hands over and releases', () => {
    const { containers, initContainers = [] } = pod();
    expect(containers.map(({ name }) => name)).toEqual(['postgres']);
    // Those with restartPolicy Always run beside postgres and end after it: Consul last.
    const beside = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name);
    expect(beside).toEqual(['consul', 'role-server', 'controller']);
    expect(container(pod(), 'postgres').lifecycle?.preStop?.exec?.command).toEqual([
      '/bin/sh',
      '/scripts/hand-over.sh',
    ]);
  });

  test('the data directory lies below its mount, beside what controller and runner remember', () => {
    const { HAPG_DATA_DIR: data, HAPG_STATE_DIR: state } = environmentOf(container(pod(), 'postgres'));
    const of = environmentOf(container(pod(), 'controller'));
    expect(data).toBe(of.HAPG_DATA_DIR);
    const mounts = ['postgres', 'controller', 'wait-pgdata-empty'].map((name) =>
      container(pod(), name).volumeMounts?.find((mount) => mount.name === 'data'),
    );
    for (const mount of mounts) expect(data).toMatch(new RegExp(`^${mount?.mountPath ?? '?'}/[a-z]+$`));
    expect(new Set([data, state, of.HAPG_STATE_DIR]).size).toBe(3);
  });

  test('the controller sees PostgreSQL’s processes, and may kill them', () => {
    expect(pod().shareProcessNamespace).toBe(true);
    const users = ['postgres', 'controller'].map((name) => container(pod(), name).securityContext?.runAsUser);
    expect(users).toEqual([undefined, undefined]);
    expect(pod().securityContext?.runAsUser).toBe(999);
  });

  test('controller and role-server meet at one socket, in a volume that both have', () => {
    const { HAPG_SOCKET: told } = environmentOf(container(pod(), 'controller'));
    const { HAPG_CONTROLLER_SOCKET: asked } = environmentOf(container(pod(), 'role-server'));
    expect(asked).toBe(told);
    for (const name of ['controller', 'role-server']) {
      expect(container(pod(), name).volumeMounts).toContainEqual({ name: 'run', mountPath: '/run/ha-postgres' });
    }
  });

  test('a node is known by its pod’s name, and reached at its address, which HAProxy can be told', () => {
    const place = { POD_NAME: 'ha-postgres-1', POD_IP: '10.1.2.3', POD_NAMESPACE: 'db' };
    const { HAPG_NODE, HAPG_HOST, HAPG_CONSUL_SERVERS } = environmentOf(container(pod(), 'controller'), place);
    expect({ HAPG_NODE, HAPG_HOST }).toEqual({ HAPG_NODE: 'ha-postgres-1', HAPG_HOST: '10.1.2.3' });
    expect(HAPG_CONSUL_SERVERS?.split(',')).toEqual([0, 1, 2].map((number) => `http://consul-${number}.consul:8500`));
  });

  test('one node at a time may be drained away, and nodes spread over machines and zones', () => {
    expect(find(render(), 'PodDisruptionBudget', 'ha-postgres').spec).toMatchObject({ maxUnavailable: 1 });
    const spread = pod().topologySpreadConstraints as { topologyKey: string; labelSelector: { matchLabels: object } }[];
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    const { labels } = database(render()).spec.template.metadata;
    for (const { labelSelector } of spread) expect(labels).toMatchObject(labelSelector.matchLabels);
  });

  test('nodes find each other before they are ready', () => {
    expect(find(render(), 'Service', 'ha-postgres').spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: database(render()).spec.selector.matchLabels,
    });
  });
});

describe('switched off', () => {
  test('there is no budget, no spreading, and no init script', () => {
    const manifests = render({
      db: { podDisruptionBudget: { enabled: false }, topologySpread: { hosts: 'Off', zones: 'Off' } },
    });
    expect(has(manifests, 'PodDisruptionBudget', 'ha-postgres')).toBe(false);
    expect(database(manifests).spec.template.spec).not.toHaveProperty('topologySpreadConstraints');
    expect(find(manifests, 'ConfigMap', 'ha-postgres-init-scripts')).toMatchObject({ data: null });
  });

  test('a password that is not given stands nowhere: PostgreSQL’s users come from the Secret', () => {
    const variables = environmentOf(container(pod(), 'postgres'));
    const passwords = Object.entries(variables).filter(([name]) => name.endsWith('_PASSWORD'));
    expect(passwords.map(([, text]) => text)).toEqual(
      passwords.map(() => expect.stringMatching(/^secret of ha-postgres\//) as string),
    );
    expect(passwords).toHaveLength(4);
  });

  test('without TLS nothing of it is mounted or set', () => {
    expect(JSON.stringify(pod())).not.toContain('postgres-tls');
    expect(filesOf(render(), 'ha-postgres-runner')['runner.yaml']).not.toContain('ssl');
  });
});

describe('asked for', () => {
  test('TLS comes from the Secret, with a key that only PostgreSQL’s group may read, and may be demanded', () => {
    const values = { db: { postgres: { tls: { secretName: 'pg-tls', required: true } } } };
    expect(pod(values).volumes).toContainEqual({ name: 'tls', secret: { secretName: 'pg-tls', defaultMode: 0o440 } });
    const file = filesOf(render(values), 'ha-postgres-runner')['runner.yaml'] ?? '';
    for (const line of ['ssl=on', '/etc/postgres-tls/tls.key', 'hostnossl all all all reject'])
      expect(file).toContain(line);
  });

  test('what changes a service’s configuration replaces the pods, what is read when needed does not', () => {
    const sum = (values = {}) => database(render(values)).spec.template.metadata.annotations?.['checksum/config'];
    expect(sum({ db: { controller: { options: { rejoin: 'never' } } } })).not.toBe(sum());
    expect(sum({ db: { postgres: { settings: { work_mem: '8MB' } } } })).not.toBe(sum());
    expect(sum({ db: { publishSeed: true } })).toBe(sum());
    expect(sum({ monitoring: { prometheusRule: { enabled: true } } })).toBe(sum());
  });

  test('priority, machines and further environment come where they belong', () => {
    const spec = pod({
      db: {
        priorityClassName: 'high',
        nodeSelector: { a: 'b' },
        postgres: { extraEnv: [{ name: 'TZ', value: 'UTC' }] },
      },
    });
    expect(spec).toMatchObject({ priorityClassName: 'high', nodeSelector: { a: 'b' } });
    expect(environmentOf(container(spec, 'postgres')).TZ).toBe('UTC');
    expect(environmentOf(container(spec, 'controller')).TZ).toBeUndefined();
  });

  test('scripts that lie in the chart run in a new cluster', () => {
    const copy = mkdtempSync(join(tmpdir(), 'chart-'));
    try {
      cpSync(CHART, copy, { recursive: true });
      writeFileSync(join(copy, 'files', 'postgres-init-scripts', '10-shop.sql'), 'CREATE SCHEMA shop;\n');
      const manifests = manifestsIn(helm(['template', 'trial', copy, '--namespace', 'db']));
      expect(filesOf(manifests, 'ha-postgres-init-scripts')).toEqual({ '10-shop.sql': 'CREATE SCHEMA shop;\n' });
      const { HAPG_INIT_SCRIPTS: place } = environmentOf(container(database(manifests).spec.template.spec, 'postgres'));
      expect(container(database(manifests).spec.template.spec, 'postgres').volumeMounts).toContainEqual(
        expect.objectContaining({ name: 'init-scripts', mountPath: place }),
      );
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  test('a seed gives the scripts that subscribe to it what they need, the password from a Secret', () => {
    const seedDb = { host: 'old', name: 'shop', user: 'seeder', password: 'p' };
    const manifests = render({ db: { seedDb } });
    expect(Object.keys(filesOf(manifests, 'ha-postgres-init-scripts'))).toEqual(['zz-subscribe-to-seed.sh']);
    expect(environmentOf(container(database(manifests).spec.template.spec, 'postgres'))).toMatchObject({
      ...{ SEED_HOST: 'old', SEED_PORT: '5432', SEED_NAME: 'shop', SEED_USER: 'seeder', SEED_PUBLICATION: 'seed' },
      SEED_PASSWORD: 'secret of ha-postgres-seed/password',
    });
  });
});
