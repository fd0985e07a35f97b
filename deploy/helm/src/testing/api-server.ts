import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What helm must know of to build the chart's objects: `group/version`, then kind and name of its resources. */
const RESOURCES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  v1: [
    ['Secret', 'secrets'],
    ['ConfigMap', 'configmaps'],
    ['Service', 'services'],
    ['ServiceAccount', 'serviceaccounts'],
    ['Pod', 'pods'],
  ],
  'apps/v1': [
    ['StatefulSet', 'statefulsets'],
    ['Deployment', 'deployments'],
  ],
  'policy/v1': [['PodDisruptionBudget', 'poddisruptionbudgets']],
  'networking.k8s.io/v1': [['NetworkPolicy', 'networkpolicies']],
};

/** By this helm knows what is of its own release, also where that was uninstalled and is installed again. */
const HELMS = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': 'trial', 'meta.helm.sh/release-namespace': 'db' },
};

const resourceList = (groupVersion: string): object => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: (RESOURCES[groupVersion] ?? []).map(([kind, name]) => ({
    ...{ kind, name, singularName: kind.toLowerCase(), namespaced: true },
    verbs: ['get', 'list', 'create', 'update', 'patch', 'delete'],
  })),
});

function groupList(): object {
  const groups = Object.keys(RESOURCES)
    .filter((groupVersion) => groupVersion.includes('/'))
    .map((groupVersion) => {
      const [name, version] = groupVersion.split('/');
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    });
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** The part of Kubernetes' API that helm's `lookup` asks: which resources there are, and the Secrets of namespace `db`. */
export class ApiServer {
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(secrets: Readonly<Record<string, Readonly<Record<string, string>>>>) {
    const known: Readonly<Record<string, object>> = {
      '/version': { major: '1', minor: '35', gitVersion: 'v1.35.0' },
      '/api': { kind: 'APIVersions', versions: ['v1'] },
      '/apis': groupList(),
      '/api/v1': resourceList('v1'),
      ...Object.fromEntries(Object.keys(RESOURCES).map((group) => [`/apis/${group}`, resourceList(group)])),
      ...Object.fromEntries(
        Object.entries(secrets).map(([name, data]) => [
          `/api/v1/namespaces/db/secrets/${name}`,
          { kind: 'Secret', apiVersion: 'v1', metadata: { name, namespace: 'db', ...HELMS }, data: encoded(data) },
        ]),
      ),
    };
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://api');
      this.asked.push(pathname);
      const found = known[pathname];
      const body = found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
      response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  }

  /** @param secrets what there is already, by name and key, in plain text */
  static async start(secrets: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<ApiServer> {
    const api = new ApiServer(secrets);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

const encoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
