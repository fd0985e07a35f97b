import { find, has, render } from './testing/render';
import {
  consulServers,
  container,
  containersOf,
  database,
  environmentOf,
  filesOf,
  loadBalancer,
} from './testing/workloads';

interface AgentConfig {
  readonly retry_join: readonly string[];
  readonly [setting: string]: unknown;
}

const config = (name: string, values = {}): AgentConfig =>
  JSON.parse(filesOf(render(values), name)['agent.json'] ?? '') as AgentConfig;

const EXTERNAL = {
  consul: { external: { enabled: true, retryJoin: ['a.example'], httpAddresses: ['https://a.example:8501'] } },
};

describe('by default', () => {
  test('there are three servers with a volume each, that wait for each other and elect in about 3 s', () => {
    const { spec } = consulServers(render());
    expect(spec).toMatchObject({ replicas: 3, podManagementPolicy: 'Parallel', serviceName: 'consul' });
    expect(containersOf(spec.template.spec).map(({ name }) => name)).toEqual(['consul']);
    expect(config('consul-server')).toMatchObject({
      ...{ server: true, bootstrap_expect: 3, performance: { raft_multiplier: 1 }, leave_on_terminate: false },
      // By this the services find the servers' HTTP port in the catalogue.
      node_meta: { http_port: '8500' },
    });
  });

  test('the agent of a database node stays in the catalogue while it is started anew', () => {
    expect(config('consul-agent')).toMatchObject({
      // SIGTERM starts it anew, SIGINT is sent where the pod ends for good: see start.sh.
      ...{ server: false, leave_on_terminate: false, skip_leave_on_interrupt: false },
      ...{ performance: { raft_multiplier: 1 }, client_addr: '127.0.0.1', retry_join: ['consul'] },
    });
  });

  test('agents answer to their own pod only, servers to the service that is named in retry_join', () => {
    const { client_addr: address, retry_join: join } = config('consul-server');
    expect({ address, join }).toEqual({ address: '0.0.0.0', join: ['consul'] });
    expect(find(render(), 'Service', 'consul').spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    });
  });

  test('all gossip with one key', () => {
    for (const { spec } of [consulServers(render()), database(render()), loadBalancer(render())]) {
      const volume = spec.template.spec.volumes?.find(({ name }) => name === 'consul-gossip');
      expect(volume?.secret).toEqual({ secretName: 'consul-gossip' });
      expect(container(spec.template.spec, 'consul').volumeMounts).toContainEqual(
        expect.objectContaining({ name: 'consul-gossip' }),
      );
    }
  });

  test('more servers are no news for databases and load balancers', () => {
    const values = { consul: { server: { clusterSize: 5 } } };
    expect(config('consul-server', values).bootstrap_expect).toBe(5);
    for (const workload of [database, loadBalancer]) {
      expect(workload(render(values)).spec.template).toEqual(workload(render()).spec.template);
    }
  });
});

describe('switched off: with an external Consul', () => {
  const manifests = render(EXTERNAL);

  test('no server is made, nor a service, a volume, a budget, a policy or a key for them', () => {
    for (const kind of ['StatefulSet', 'Service', 'PodDisruptionBudget', 'NetworkPolicy']) {
      expect({ kind, there: has(manifests, kind, 'consul') }).toEqual({ kind, there: false });
    }
    expect(has(manifests, 'ConfigMap', 'consul-server')).toBe(false);
    expect(has(manifests, 'Secret', 'consul-gossip')).toBe(false);
  });

  test('the agents join it under names that are no other’s, and the controller knows its servers', () => {
    expect(config('consul-agent', EXTERNAL).retry_join).toEqual(['a.example']);
    const { spec } = database(manifests).spec.template;
    const place = { POD_NAME: 'ha-postgres-0', POD_NAMESPACE: 'db' };
    expect(environmentOf(container(spec, 'consul'), place).CONSUL_NODE_NAME).toBe('db-ha-postgres-0');
    expect(environmentOf(container(spec, 'controller')).HAPG_CONSUL_SERVERS).toBe('https://a.example:8501');
  });

  test('its token and its certificate come to agents and services', () => {
    const external = { ...EXTERNAL.consul.external, tokenSecret: 'token', caSecret: 'ca' };
    const all = render({ consul: { external } });
    for (const [{ spec }, service] of [
      [database(all).spec.template, 'controller'],
      [database(all).spec.template, 'postgres'],
      [loadBalancer(all).spec.template, 'lb-syncer'],
    ] as const) {
      expect(environmentOf(container(spec, 'consul')).CONSUL_AGENT_TOKEN).toBe('secret of token/token');
      const { CONSUL_HTTP_TOKEN, CONSUL_CACERT, CONSUL_HTTP_SSL } = environmentOf(container(spec, service));
      expect({ CONSUL_HTTP_TOKEN, CONSUL_CACERT, CONSUL_HTTP_SSL }).toEqual({
        CONSUL_HTTP_TOKEN: 'secret of token/token',
        CONSUL_CACERT: '/etc/consul-ca/ca.crt',
        CONSUL_HTTP_SSL: 'true',
      });
      const mount = container(spec, service).volumeMounts?.find(({ name }) => name === 'consul-ca');
      expect(mount?.mountPath).toBe('/etc/consul-ca');
      expect(spec.volumes).toContainEqual({ name: 'consul-ca', secret: { secretName: 'ca' } });
    }
    expect(config('consul-agent', { consul: { external } })).toMatchObject({
      tls: { defaults: { ca_file: '/etc/consul-ca/ca.crt', verify_outgoing: true } },
    });
  });
});
