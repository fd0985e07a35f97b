import { Objects } from '../objects';
import { podOfStatefulSet } from '../expand/planned-pod';
import { secret, service, statefulSet } from '../testing-objects';
import type { Pod } from '../run/pod';
import { parseKubectl } from './command';
import { destinationOf } from './forward';
import { found, listed, type PodKnown } from './list';

const SET = statefulSet({ replicas: 2 });
const OBJECTS = new Objects([
  { ...SET, metadata: { name: 'web', labels: { app: 'web' } } },
  secret('passwords', { password: 'p=w' }),
  service('front', { ports: [{ port: 80, targetPort: 8080 }], selector: { 'apps.kubernetes.io/pod-index': '1' } }),
]);
const pod = (ordinal: number, over: Partial<PodKnown> = {}): PodKnown & Pick<Pod, 'seen'> => {
  const planned = podOfStatefulSet(SET, ordinal, 'db');
  const { name, labels, hostname, subdomain, spec } = planned;
  const ip = `10.0.0.${ordinal}`;
  const known = {
    name,
    uid: `u${ordinal}`,
    ip,
    planned,
    restarts: { main: 2 },
    isReady: true,
    isEnding: false,
    ...over,
  };
  return { ...known, seen: { name, labels, hostname, subdomain, spec, ip, isServing: known.isReady } };
};

describe('arguments', () => {
  const parse = (line: string) => parseKubectl(line.split(' '), 'db');

  test.each([
    ['get pods --selector=a=b --output=json -n db', { do: 'get', kinds: ['Pod'], name: null, labels: { a: 'b' } }],
    ['-n db get secret x -o json', { do: 'get', kinds: ['Secret'], name: 'x', labels: {} }],
    [
      'exec web-0 --container=main -n db -- sh -c x',
      { do: 'exec', pod: 'web-0', container: 'main', command: ['sh', '-c', 'x'] },
    ],
    [
      'delete pod web-0 --grace-period=0 --force --wait=false -n db',
      { do: 'delete', pod: 'web-0', graceSeconds: 0, waits: false },
    ],
    ['delete pod web-0 -n db', { do: 'delete', pod: 'web-0', graceSeconds: null, waits: true }],
    [
      'port-forward --address=127.0.0.1 service/front 5000:80 -n db',
      { do: 'port-forward', kind: 'Service', name: 'front', local: 5000, port: 80 },
    ],
  ])('%s', (line, expected) => expect(parse(line)).toEqual(expected));

  test.each([
    ['get nodes -o json -n db', 'resource type "nodes"'],
    ['get pods -o json -n other', 'namespaces "other" not found'],
    ['get pods -n db', 'only --output=json'],
    ['apply -n db', 'unknown command "apply"'],
    ['get pods --watch -n db', 'watch'],
  ])('%s is refused', (line, words) => expect(() => parse(line)).toThrow(words));
});

describe('what is got', () => {
  test('are objects of the kinds and with the labels that are asked for, and pods with their state', () => {
    const all = [pod(0), pod(1, { ip: null, isReady: false })];
    const items = (kinds: string[], labels = {}) =>
      (JSON.parse(listed(kinds, labels, OBJECTS, all)) as { items: Record<string, unknown>[] }).items;
    expect(items(['StatefulSet', 'Service'], { app: 'web' })).toHaveLength(1);
    expect(items(['StatefulSet', 'Service'])).toHaveLength(2);
    expect(items(['Pod'])).toMatchObject([
      {
        metadata: { name: 'web-0', uid: 'u0' },
        status: { podIP: '10.0.0.0', containerStatuses: [{ name: 'main', restartCount: 2 }] },
      },
      { metadata: { name: 'web-1' }, status: { phase: 'Pending' } },
    ]);
  });

  test('is a Secret with its values encoded, however they were written', () => {
    const written = { ...secret('s', {}), data: undefined, stringData: { word: 'x' } };
    expect(JSON.parse(found('Secret', 's', new Objects([written]), []))).toMatchObject({ data: { word: 'eA==' } });
    expect(JSON.parse(found('Secret', 'passwords', OBJECTS, []))).toMatchObject({
      data: { password: Buffer.from('p=w').toString('base64') },
    });
    expect(() => found('Secret', 'none', OBJECTS, [])).toThrow('secrets "none" not found');
  });
});

describe('a port-forward', () => {
  const to = (kind: string, name: string, port: number, pods: unknown[]) => {
    const { pod: chosen, port: there } = destinationOf(kind, name, port, OBJECTS, pods as Pod[]);
    return `${chosen.name}:${there}`;
  };

  test('to a service leads to one of its ready pods, at the port of the pod', () => {
    expect(to('Service', 'front', 80, [pod(0), pod(1)])).toBe('web-1:8080');
    expect(() => to('Service', 'front', 80, [pod(0), pod(1, { isReady: false })])).toThrow('Service front has none');
    expect(() => to('Service', 'front', 81, [pod(1)])).toThrow('without port 81');
  });

  test('to a pod leads there, to a workload to a pod of it that is ready, if there is one', () => {
    expect(to('Pod', 'web-0', 5, [pod(0, { isReady: false }), pod(1)])).toBe('web-0:5');
    expect(to('StatefulSet', 'web', 5, [pod(0, { isReady: false }), pod(1)])).toBe('web-1:5');
    expect(() => to('Pod', 'web-0', 5, [pod(0, { isEnding: true })])).toThrow('pod is not running');
  });
});
