import { CONTROLS, restrictedProblems } from './testing/restricted';
import { find, render, type Manifest } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';
import { containersOf, database, pods, type Container, type PodSpec } from './testing/workloads';

describe.each(Object.entries(VALUE_SETS))('%s', (_name, values) => {
  const manifests = render(values);

  test('every pod is within the restricted pod security standard, without exception', () => {
    expect(pods(manifests).length).toBeGreaterThanOrEqual(3);
    expect(restrictedProblems(manifests)).toEqual([]);
  });

  test('no container can write but into its volumes', () => {
    const containers = pods(manifests).flatMap(({ spec }) => containersOf(spec));
    expect(containers.filter((one) => one.securityContext?.readOnlyRootFilesystem !== true)).toEqual([]);
  });

  test('nobody can speak with Kubernetes’ API', () => {
    for (const { spec } of pods(manifests)) {
      expect(spec).toMatchObject({ serviceAccountName: 'ha-postgres', automountServiceAccountToken: false });
    }
    expect(find(manifests, 'ServiceAccount', 'ha-postgres')).toMatchObject({ automountServiceAccountToken: false });
    expect(manifests.filter(({ kind }) => kind.includes('Role'))).toEqual([]);
  });

  test('no password stands where everybody may read it', () => {
    const open = manifests.filter(({ kind }) => kind !== 'Secret');
    for (const one of open) expect(JSON.stringify(one)).not.toMatch(/password: *[^ "\\]|"value":"(x|y|p)"/i);
    const secrets = pods(manifests).flatMap(({ spec }) =>
      containersOf(spec).flatMap(({ env = [] }) => env.filter(({ name }) => /PASSWORD|SECRET|TOKEN/.test(name))),
    );
    expect(secrets.length).toBeGreaterThan(5);
    for (const { valueFrom } of secrets) expect(valueFrom?.secretKeyRef).toBeDefined();
  });
});

describe('the check itself', () => {
  const spoilt = (spoil: (spec: Mutable<PodSpec>, first: Mutable<Container>) => void): string[] => {
    const copy = structuredClone(database(render())) as Manifest & { spec: { template: { spec: Mutable<PodSpec> } } };
    const { spec } = copy.spec.template;
    const [first] = spec.containers;
    if (first === undefined) throw new Error('no container');
    spoil(spec, first);
    return restrictedProblems([copy]);
  };
  const context = (change: object) => (_spec: unknown, first: Mutable<Container>) => {
    first.securityContext = { ...first.securityContext, ...change };
  };

  test.each<[keyof typeof CONTROLS, (spec: Mutable<PodSpec>, first: Mutable<Container>) => void]>([
    ['host namespaces', (spec) => (spec.hostPID = true)],
    ['host process', context({ windowsOptions: { hostProcess: true } })],
    ['privileged containers', context({ privileged: true })],
    ['volume types', (spec) => (spec.volumes = [{ name: 'x', hostPath: { path: '/' } }])],
    ['host ports', (_spec, first) => (first.ports = [{ containerPort: 1, hostPort: 1 } as never])],
    [
      'hosts of probes and hooks',
      (_spec, first) => (first.livenessProbe = { tcpSocket: { port: 1, host: 'x' } as never }),
    ],
    ['AppArmor', context({ appArmorProfile: { type: 'Unconfined' } })],
    ['SELinux', context({ seLinuxOptions: { type: 'spc_t' } })],
    ['/proc mount type', context({ procMount: 'Unmasked' })],
    ['sysctls', (spec) => (spec.securityContext = { ...spec.securityContext, sysctls: [{ name: 'kernel.sem' }] })],
    ['privilege escalation', context({ allowPrivilegeEscalation: true })],
    ['running as non-root', context({ runAsNonRoot: false })],
    ['running as non-root user', context({ runAsUser: 0 })],
    ['seccomp', context({ seccompProfile: { type: 'Unconfined' } })],
    ['capabilities', context({ capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] } })],
  ])('finds what breaks “%s”', (control, spoil) => {
    expect(spoilt(spoil)).toEqual([expect.stringContaining(`ha-postgres: ${control}: `)]);
  });

  test('finds nothing where nothing is wrong, and has an example for every control', () => {
    expect(spoilt(() => undefined)).toEqual([]);
    expect(Object.keys(CONTROLS)).toHaveLength(15);
  });
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
