import { find, has, render } from './testing/render';
import { container, containersOf, environmentOf, filesOf, loadBalancer } from './testing/workloads';

const pod = (values = {}) => loadBalancer(render(values)).spec.template.spec;
const portsOf = (values = {}) => (find(render(values), 'Service', 'postgres').spec as { ports: object[] }).ports;

describe('by default', () => {
  test('there are two, of the containers that users know; haproxy ends first', () => {
    const { spec } = loadBalancer(render());
    expect(spec.replicas).toBe(2);
    expect(containersOf(spec.template.spec).map(({ name }) => name)).toEqual(['consul', 'lb-syncer', 'haproxy']);
    expect(spec.template.spec.containers.map(({ name }) => name)).toEqual(['haproxy']);
    expect(spec.strategy).toMatchObject({ rollingUpdate: { maxUnavailable: 0 } });
  });

  test('service postgres leads to the Master by 5432 and to the Replicas by 5433', () => {
    const service = find(render(), 'Service', 'postgres');
    expect(service.spec).toMatchObject({
      type: 'ClusterIP',
      selector: loadBalancer(render()).spec.selector.matchLabels,
    });
    expect(portsOf()).toEqual([
      { name: 'master', port: 5432, targetPort: 'master' },
      { name: 'standby', port: 5433, targetPort: 'standby' },
    ]);
  });

  test('HAProxy’s admin port is reached from inside of the pod only, by lb-syncer where HAProxy has it', () => {
    const config = filesOf(render(), 'postgres-lb')['haproxy.cfg'] ?? '';
    const { HAPG_HAPROXY_ADDRESS: admin = '?', HAPG_HOLD_ADDRESS: hold = '?' } = environmentOf(
      container(pod(), 'lb-syncer'),
    );
    expect(config).toContain(`stats socket ${admin} level admin`);
    expect(config).toContain(`bind ${hold} name hold`);
    expect([admin, hold]).toEqual([expect.stringMatching(/^127\./), expect.stringMatching(/^127\./)]);
    const open = containersOf(pod()).flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));
    expect(open).not.toContain(9998);
  });

  test('its name in Consul is the pod’s, and leaves Consul with the pod', () => {
    expect(environmentOf(container(pod(), 'lb-syncer'), { POD_NAME: 'postgres-lb-x' }).HAPG_NAME).toBe('postgres-lb-x');
    const volume = pod().volumes?.find(({ name }) => name === 'consul-config');
    const agent = JSON.parse(filesOf(render(), volume?.configMap?.name ?? '')['agent.json'] ?? '{}') as object;
    expect(agent).toMatchObject({ leave_on_terminate: true });
  });

  test('Replicas do not stream through it', () => {
    expect(has(render(), 'Service', 'postgres-replication')).toBe(false);
    expect(environmentOf(container(pod(), 'lb-syncer'))).not.toHaveProperty('HAPG_REPLICATION_BACKEND');
  });
});

describe('switched off', () => {
  test('there is no budget', () => {
    const manifests = render({ lb: { podDisruptionBudget: { enabled: false } } });
    expect(has(manifests, 'PodDisruptionBudget', 'postgres-lb')).toBe(false);
    expect(has(render(), 'PodDisruptionBudget', 'postgres-lb')).toBe(true);
  });
});

describe('asked for', () => {
  test('other ports are the same in HAProxy, in the container and in the service', () => {
    const values = { lb: { masterDbPort: 6432, standbyDbPort: 6433, haproxy: { statsPort: 7999 } } };
    const config = filesOf(render(values), 'postgres-lb')['haproxy.cfg'] ?? '';
    for (const bind of ['bind *:6432', 'bind *:6433', 'stats socket *:7999 level user']) expect(config).toContain(bind);
    expect(container(pod(values), 'haproxy').ports).toEqual([
      { name: 'master', containerPort: 6432 },
      { name: 'standby', containerPort: 6433 },
      { name: 'stats', containerPort: 7999 },
    ]);
    expect(portsOf(values)).toMatchObject([{ port: 6432 }, { port: 6433 }]);
  });

  test('replication through the load balancers has a listener, a service, and a policy that lets databases in alone', () => {
    const manifests = render({ db: { controller: { options: { replicationVia: 'lb' } } } });
    expect(find(manifests, 'Service', 'postgres-replication').spec).toMatchObject({ ports: [{ port: 5434 }] });
    expect(environmentOf(container(loadBalancer(manifests).spec.template.spec, 'lb-syncer'))).toMatchObject({
      HAPG_REPLICATION_BACKEND: 'replication',
    });
    expect(filesOf(manifests, 'postgres-lb')['haproxy.cfg']).toContain('listen replication\n    bind *:5434\n');
  });

  test('a service of the cloud has its annotations and ranges', () => {
    const service = { type: 'LoadBalancer', annotations: { a: 'b' }, loadBalancerSourceRanges: ['10.0.0.0/8'] };
    const made = find(render({ lb: { service } }), 'Service', 'postgres');
    expect(made.metadata.annotations).toEqual({ a: 'b' });
    expect(made.spec).toMatchObject({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8'] });
  });
});
