import type { KubernetesObject } from '../kubernetes';
import type { Objects } from '../objects';
import type { Pod } from '../run/pod';
import type { Labels } from './command';

/** What is known of a pod, as the API server would have it. */
export type PodKnown = Pick<Pod, 'name' | 'uid' | 'ip' | 'planned' | 'restarts' | 'isReady' | 'isEnding'>;

/** What `kubectl get KINDS -o json` prints. */
export function listed(kinds: readonly string[], labels: Labels, objects: Objects, pods: readonly PodKnown[]): string {
  const all = [...objects.all.map((one) => stored(one, objects)), ...pods.map(podObject)];
  const items = all.filter(({ kind, metadata }) => kinds.includes(kind) && has(metadata.labels ?? {}, labels));
  return printed({ apiVersion: 'v1', kind: 'List', items });
}

/** What `kubectl get KIND NAME -o json` prints. @throws Error if there is none */
export function found(kind: string, name: string, objects: Objects, pods: readonly PodKnown[]): string {
  const pod = pods.find((one) => one.name === name);
  const object = kind === 'Pod' ? pod && podObject(pod) : objects.find(kind, name);
  if (object === undefined || object === null) throw new Error(`${kind.toLowerCase()}s "${name}" not found`);
  return printed(stored(object, objects));
}

/** A Secret is kept in one form, whatever it was written in. */
function stored(object: KubernetesObject, objects: Objects): KubernetesObject {
  if (object.kind !== 'Secret') return object;
  const { stringData: _, ...rest } = object;
  const data = [...(objects.secret(object.metadata.name) ?? [])].map(([key, value]) => [key, value.toString('base64')]);
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: object.metadata,
    data: Object.fromEntries(data),
  };
}

function podObject({ name, uid, ip, planned, restarts, isReady, isEnding }: PodKnown): KubernetesObject {
  const statusOf = (container: { readonly name: string }): object => ({
    name: container.name,
    restartCount: restarts[container.name] ?? 0,
  });
  const { initContainers = [], containers } = planned.spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace: planned.namespace, uid, labels: planned.labels, annotations: planned.annotations },
      // Whoever deletes it writes when; here it is only known that somebody has.
      ...(isEnding ? { deletionTimestamp: '' } : {}),
    },
    spec: planned.spec,
    status: {
      ...(ip === null ? { phase: 'Pending' } : { phase: 'Running', podIP: ip }),
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
      initContainerStatuses: initContainers.map(statusOf),
      containerStatuses: containers.map(statusOf),
    },
  };
}

const has = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

const printed = (object: unknown): string => `${JSON.stringify(object, null, 4)}\n`;
