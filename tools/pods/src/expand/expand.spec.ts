import { Objects } from '../objects';
import { configMap, container, deployment, placedPod, secret, specOf, statefulSet, volume } from '../testing-objects';
import { createArguments } from './container-arguments';
import { environmentOf } from './environment';
import { fieldOf } from './placed-pod';
import { podOfDeployment, podOfStatefulSet } from './planned-pod';
import { revisionOf } from './revision';
import { filesOf } from './volume-files';

const OBJECTS = new Objects([
  configMap('settings', { colour: 'red', 'a.conf': 'text' }),
  secret('passwords', { password: 'p=w' }),
]);

describe('the environment', () => {
  const of = (env: Parameters<typeof environmentOf>[0]['env']) =>
    Object.fromEntries(environmentOf(container({ env: env ?? [] }), placedPod(), OBJECTS));

  test('takes values, fields of the pod, keys of Secrets and of ConfigMaps', () => {
    const from = [
      { name: 'PLAIN', value: 'x' },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'passwords', key: 'password' } } },
      { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
    ];
    expect(of(from)).toEqual({ PLAIN: 'x', POD_IP: '10.0.0.5', PASSWORD: 'p=w', COLOUR: 'red' });
  });

  test('names what came before by $(NAME), leaves what it does not know, and $$ stands for itself', () => {
    const env = [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)/$(C)/$$(A)' },
    ];
    expect(of(env).B).toBe('a/$(C)/$(A)');
  });

  test('takes all of a Secret or ConfigMap with a prefix; what is named singly wins', () => {
    const envFrom = [{ prefix: 'S_', configMapRef: { name: 'settings' } }, { secretRef: { name: 'passwords' } }];
    const env = [{ name: 'S_colour', value: 'blue' }];
    const known = environmentOf(container({ env, envFrom }), placedPod(), OBJECTS);
    expect(Object.fromEntries(known)).toEqual({ S_colour: 'blue', 'S_a.conf': 'text', password: 'p=w' });
  });

  test('a key that is not there stops the pod, unless it is optional', () => {
    const ref = { name: 'passwords', key: 'other' };
    expect(() => of([{ name: 'X', valueFrom: { secretKeyRef: ref } }])).toThrow(
      'web-0: X is to be key other of passwords',
    );
    expect(of([{ name: 'X', valueFrom: { secretKeyRef: { ...ref, optional: true } } }])).toEqual({});
  });
});

test('fields that are not known are said so', () => {
  const pod = placedPod({ annotations: { zone: 'b' } });
  expect(fieldOf(pod, "metadata.labels['app']")).toBe('web');
  expect(fieldOf(pod, "metadata.annotations['zone']")).toBe('b');
  expect(() => fieldOf(pod, 'status.hostIP')).toThrow('web-0: nothing is known of the field status.hostIP');
});

describe('files of volumes', () => {
  const files = (of: Parameters<typeof volume>[0], pod = placedPod()) =>
    filesOf(volume(of), pod, OBJECTS)?.map(({ path, content, mode }) => [path, content.toString(), mode]);

  test('of a ConfigMap: all keys, or those that are named, where they are to be', () => {
    expect(files({ configMap: { name: 'settings' } })).toEqual([
      ['colour', 'red', 0o644],
      ['a.conf', 'text', 0o644],
    ]);
    const items = [{ key: 'colour', path: 'sub/c', mode: 0o600 }];
    expect(files({ configMap: { name: 'settings', items } })).toEqual([['sub/c', 'red', 0o600]]);
  });

  test('of a Secret, to be read by the group of the volumes', () => {
    const pod = placedPod({ spec: specOf({ securityContext: { fsGroup: 999 } }) });
    expect(files({ secret: { secretName: 'passwords', defaultMode: 0o400 } }, pod)).toEqual([
      ['password', 'p=w', 0o440],
    ]);
  });

  test('of several sources, and of the pod itself', () => {
    const downwardAPI = { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] };
    const sources = [{ secret: { name: 'passwords' } }, { downwardAPI }];
    expect(files({ projected: { sources, defaultMode: 0o440 } })).toEqual([
      ['password', 'p=w', 0o440],
      ['name', 'web-0', 0o440],
    ]);
  });

  test('other volumes have none; what is not there is said so, unless it is optional', () => {
    expect(files({ emptyDir: {} })).toBeUndefined();
    expect(() => files({ configMap: { name: 'none' } })).toThrow('a volume is to be filled from none');
    expect(files({ configMap: { name: 'none', optional: true } })).toEqual([]);
  });
});

describe('pods', () => {
  test('of a StatefulSet have a number, a name in its service, and claims of their own', () => {
    const set = statefulSet({ serviceName: 'web', volumeClaimTemplates: [{ metadata: { name: 'data' } }] });
    expect(podOfStatefulSet(set, 2, 'db')).toMatchObject({
      name: 'web-2',
      hostname: 'web-2',
      subdomain: 'web',
      owner: 'StatefulSet/web',
      claims: { data: 'data-web-2' },
      labels: { 'apps.kubernetes.io/pod-index': '2', 'statefulset.kubernetes.io/pod-name': 'web-2' },
    });
  });

  test('of a Deployment are named by their template', () => {
    const revision = revisionOf(deployment().spec.template);
    expect(podOfDeployment(deployment(), 'x7f', 'db').name).toBe(`lb-${revision}-x7f`);
    expect(revisionOf(deployment({}, 'another').spec.template)).not.toBe(revision);
  });
});

describe('what podman is told of a container', () => {
  const told = (of: Parameters<typeof container>[0], spec = specOf()) =>
    createArguments({
      pod: placedPod({ spec }),
      container: container(of),
      environment: new Map([['A', 'b c']]),
      volumes: new Map([['v', '/tmp/v']]),
      pidFile: '/tmp/pid',
      logFile: '/tmp/log',
    });

  test('names by which it is found', () => {
    expect(told({})).toEqual(expect.arrayContaining(['--pod=db-web-0', '--name=db-web-0-main', '--env=A=b c']));
  });

  test('its account, its groups, and what it may not', () => {
    const securityContext = { runAsUser: 999, runAsGroup: 998, fsGroup: 997, runAsNonRoot: true };
    const own = { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    const words = told({ securityContext: own }, specOf({ securityContext }));
    const rights = [
      '--user=999:998',
      '--group-add=997',
      '--read-only',
      '--cap-drop=all',
      '--security-opt=no-new-privileges',
    ];
    expect(words).toEqual(expect.arrayContaining(rights));
    expect(told({ securityContext: { runAsUser: 5 } }, specOf({ securityContext }))).toContain('--user=5:998');
  });

  test('who must not be root and names no account is refused', () => {
    expect(() => told({ securityContext: { runAsNonRoot: true } })).toThrow('web-0/main: runAsNonRoot');
  });

  test('command and arguments, with what the environment says', () => {
    const words = told({ command: ['sh', '-c'], args: ['echo $(A) $(B)'] });
    expect(words.slice(-3)).toEqual(['--entrypoint=["sh","-c"]', 'i', 'echo b c $(B)']);
    expect(told({}).at(-1)).toBe('i');
  });

  test('volumes, read-only and by a path inside; one that is not there is refused', () => {
    const mounts = [
      { name: 'v', mountPath: '/a', readOnly: true },
      { name: 'v', mountPath: '/b', subPath: 's' },
    ];
    expect(told({ volumeMounts: mounts })).toEqual(
      expect.arrayContaining(['--volume=/tmp/v:/a:ro', '--volume=/tmp/v/s:/b']),
    );
    expect(() => told({ volumeMounts: [{ name: 'w', mountPath: '/w' }] })).toThrow('web-0 has no volume w');
  });
});
