/** What of an installation of the chart is needed to look at it and to write to it. */
export interface Installation {
  /** Of the database nodes, by their number. */
  readonly nodes: readonly string[];
  readonly consulPrefix: string;
  /** Its servers are an installation's own, or somebody else's. */
  readonly hasOwnConsul: boolean;
  readonly ports: {
    readonly postgres: number;
    readonly roleServer: number;
    readonly master: number;
    readonly standby: number;
    /** HAProxy's Runtime API, which only reads here. */
    readonly stats: number;
  };
  readonly superuser: { readonly name: string; readonly password: SecretPlace };
}

export interface SecretPlace {
  readonly secret: string;
  readonly key: string;
}

/** What `kubectl get` is asked for; `parseInstallation` reads its answer. */
export const OBJECTS = ['statefulsets,deployments,services', '--selector=app.kubernetes.io/name=ha-postgres'] as const;

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}

interface Container {
  readonly name: string;
  readonly env?: readonly Variable[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
}

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
    };
    readonly ports?: readonly { readonly name?: string; readonly port: number }[];
  };
}

/**
 * Reads what `kubectl get … -o json` prints for OBJECTS.
 * @throws Error naming what is missing: no release of the chart is there, or one that is not like this chart.
 */
export function parseInstallation(json: string): Installation {
  const { items } = JSON.parse(json) as { items: readonly KubernetesObject[] };
  const find = (kind: string, name: string): KubernetesObject | undefined =>
    items.find((one) => one.kind === kind && one.metadata.name === name);
  const the = (kind: string, name: string): KubernetesObject => wanted(find(kind, name), `${kind} ${name}`);
  const database = the('StatefulSet', 'ha-postgres');
  const balancer = the('Deployment', 'postgres-lb');
  const service = the('Service', 'postgres');
  const postgres = containerOf(database, 'postgres');
  const password = variableOf(postgres, 'HAPG_SUPERUSER_PASSWORD').valueFrom?.secretKeyRef;
  return {
    nodes: Array.from({ length: database.spec.replicas ?? 0 }, (_, number) => `ha-postgres-${number}`),
    consulPrefix: valueOf(containerOf(database, 'controller'), 'HAPG_CONSUL_PREFIX'),
    hasOwnConsul: find('StatefulSet', 'consul') !== undefined,
    ports: {
      postgres: portOf(postgres, 'postgres'),
      roleServer: portOf(containerOf(database, 'role-server'), 'api'),
      master: servicePortOf(service, 'master'),
      standby: servicePortOf(service, 'standby'),
      stats: portOf(containerOf(balancer, 'haproxy'), 'stats'),
    },
    superuser: {
      name: valueOf(postgres, 'HAPG_SUPERUSER_NAME'),
      password: { secret: wanted(password?.name, "a Secret with the superuser's password"), key: password?.key ?? '' },
    },
  };
}

/** Reads a key of what `kubectl get secret NAME -o json` prints. @throws Error if it has no such key. */
export function secretValue(json: string, { secret, key }: SecretPlace): string {
  const { data } = JSON.parse(json) as { data?: Readonly<Record<string, string>> };
  return Buffer.from(wanted(data?.[key], `key ${key} of Secret ${secret}`), 'base64').toString('utf8');
}

function containerOf({ kind, metadata, spec }: KubernetesObject, name: string): Container {
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const found = [...containers, ...initContainers].find((one) => one.name === name);
  return wanted(found, `container ${name} of ${kind} ${metadata.name}`);
}

function variableOf({ name: container, env = [] }: Container, name: string): Variable {
  return wanted(
    env.find((one) => one.name === name),
    `variable ${name} of container ${container}`,
  );
}

function valueOf(container: Container, name: string): string {
  return wanted(variableOf(container, name).value, `a value of ${name}`);
}

function portOf({ name: container, ports = [] }: Container, name: string): number {
  return wanted(ports.find((one) => one.name === name)?.containerPort, `port ${name} of container ${container}`);
}

function servicePortOf({ metadata, spec }: KubernetesObject, name: string): number {
  return wanted(spec.ports?.find((one) => one.name === name)?.port, `port ${name} of Service ${metadata.name}`);
}

function wanted<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new Error(`no release of the chart ha-postgres is there: ${what} is missing`);
  return found;
}
