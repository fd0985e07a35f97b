import { find, type Manifest } from './render';

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}

interface Port {
  readonly name?: string;
  readonly containerPort: number;
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
  readonly tcpSocket?: { readonly port: string | number };
  readonly exec?: { readonly command: readonly string[] };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly restartPolicy?: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly ports?: readonly Port[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly exec?: { readonly command: readonly string[] } } };
  readonly resources?: object;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly defaultMode?: number };
  readonly emptyDir?: object;
  readonly [kind: string]: unknown;
}

export interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly shareProcessNamespace?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly [part: string]: unknown;
}

export interface Workload extends Manifest {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: { readonly metadata: Manifest['metadata']; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string }; readonly spec: object }[];
    readonly [part: string]: unknown;
  };
}

export interface ConfigMap extends Manifest {
  readonly data: Readonly<Record<string, string>>;
}

const KINDS = ['StatefulSet', 'Deployment', 'DaemonSet', 'Job', 'CronJob'];

export function workloads(manifests: readonly Manifest[]): Workload[] {
  return manifests.filter((one): one is Workload => KINDS.includes(one.kind));
}

/** The pods that the manifests would make: of workloads, and by themselves. */
export function pods(manifests: readonly Manifest[]): { readonly name: string; readonly spec: PodSpec }[] {
  const alone = manifests.filter(({ kind }) => kind === 'Pod');
  return [
    ...workloads(manifests).map((one) => ({ name: one.metadata.name, spec: one.spec.template.spec })),
    ...alone.map((one) => ({ name: one.metadata.name, spec: one.spec as PodSpec })),
  ];
}

export const containersOf = (spec: PodSpec): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];

/** @throws Error if the pod has no such container */
export function container(spec: PodSpec, name: string): Container {
  const found = containersOf(spec).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

const workload = (manifests: readonly Manifest[], kind: string, name: string): Workload =>
  find(manifests, kind, name) as Workload;

export const database = (manifests: readonly Manifest[]): Workload => workload(manifests, 'StatefulSet', 'ha-postgres');
export const loadBalancer = (manifests: readonly Manifest[]): Workload =>
  workload(manifests, 'Deployment', 'postgres-lb');
export const consulServers = (manifests: readonly Manifest[]): Workload => workload(manifests, 'StatefulSet', 'consul');

/** The files of a ConfigMap. */
export const filesOf = (manifests: readonly Manifest[], name: string): Readonly<Record<string, string>> =>
  (find(manifests, 'ConfigMap', name) as ConfigMap).data;

/** A container's environment as it is where the pod runs: `$(NAME)` stands for what was named before. */
export function environmentOf(
  { env = [] }: Container,
  place: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const known: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const secret = valueFrom?.secretKeyRef;
    const text = value ?? place[name] ?? (secret === undefined ? '' : `secret of ${secret.name}/${secret.key}`);
    known[name] = text.replace(/\$\(([A-Za-z_]\w*)\)/g, (whole, other: string) => known[other] ?? whole);
  }
  return known;
}
