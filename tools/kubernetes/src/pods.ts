/** What is looked at of a pod of the chart. */
export interface Pod {
  readonly name: string;
  /** Another one for each pod that bears the name. */
  readonly uid: string;
  /** `db`, `lb` or `consul`, as the chart labels it. */
  readonly component: string;
  readonly ip: string | null;
  /** How often each of its containers has been started again. */
  readonly restarts: Readonly<Record<string, number>>;
}

/** By which label the chart's pods are found. */
export const SELECTOR = 'app.kubernetes.io/name=ha-postgres';
const COMPONENT = 'app.kubernetes.io/component';

interface ContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
}

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** Reads what `kubectl get pods -o json` prints; the pods of a test hook have no component and are left out. */
export function parsePods(json: string): readonly Pod[] {
  const { items } = JSON.parse(json) as { items: readonly PodObject[] };
  return items.flatMap(({ metadata, status = {} }) => {
    const component = metadata.labels?.[COMPONENT];
    if (component === undefined) return [];
    const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    return [
      {
        name: metadata.name,
        uid: metadata.uid,
        component,
        ip: status.podIP ?? null,
        restarts: Object.fromEntries(containers.map(({ name, restartCount = 0 }) => [name, restartCount])),
      },
    ];
  });
}

/** One thing that is otherwise than before, in words. `container`: it alone was started again; null: the pod came or went. */
export interface PodChange {
  readonly pod: string;
  readonly component: string;
  readonly container: string | null;
  readonly text: string;
}

/** What has happened between two looks. */
export function podChanges(before: readonly Pod[], now: readonly Pod[]): readonly PodChange[] {
  const earlier = new Map(before.map((pod) => [pod.name, pod]));
  const names = new Set(now.map(({ name }) => name));
  const gone = before.filter(({ name }) => !names.has(name)).map((pod) => changeOf(pod, 'is gone'));
  return [...gone, ...now.flatMap((pod) => changesOf(earlier.get(pod.name), pod))];
}

function changesOf(before: Pod | undefined, pod: Pod): readonly PodChange[] {
  if (before === undefined) return [changeOf(pod, 'is there')];
  if (before.uid !== pod.uid) return [changeOf(pod, 'is a new pod')];
  return Object.entries(pod.restarts)
    .filter(([container, count]) => count > (before.restarts[container] ?? 0))
    .map(([container]) => changeOf(pod, 'was started again', container));
}

function changeOf({ name, component }: Pod, text: string, container: string | null = null): PodChange {
  return { pod: name, component, container, text };
}
