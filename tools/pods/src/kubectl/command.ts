import { parseArgs } from 'node:util';

/** What kubectl is told to do, of what is known here. */
export type KubectlCommand =
  | { readonly do: 'get'; readonly kinds: readonly string[]; readonly name: string | null; readonly labels: Labels }
  | {
      readonly do: 'exec';
      readonly pod: string;
      readonly container: string | null;
      readonly command: readonly string[];
    }
  | { readonly do: 'delete'; readonly pod: string; readonly graceSeconds: number | null; readonly waits: boolean }
  | {
      readonly do: 'port-forward';
      readonly kind: string;
      readonly name: string;
      readonly local: number;
      readonly port: number;
    }
  | { readonly do: 'config' };

export type Labels = Readonly<Record<string, string>>;

const OPTIONS = {
  context: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  selector: { type: 'string', short: 'l' },
  output: { type: 'string', short: 'o' },
  container: { type: 'string', short: 'c' },
  address: { type: 'string' },
  'grace-period': { type: 'string' },
  force: { type: 'boolean' },
  minify: { type: 'boolean' },
  wait: { type: 'string' },
} as const;

/** Resources by the names that kubectl takes for them. */
const KINDS: Readonly<Record<string, string>> = {
  pod: 'Pod',
  service: 'Service',
  secret: 'Secret',
  configmap: 'ConfigMap',
  statefulset: 'StatefulSet',
  deployment: 'Deployment',
};

/**
 * Reads kubectl's arguments.
 * @param namespace the only one there is
 * @throws Error for what is not known here
 */
export function parseKubectl(args: readonly string[], namespace: string): KubectlCommand {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [verb = '', ...rest] = positionals;
  if (verb === 'config') return { do: 'config' };
  if (values.namespace !== namespace) throw new Error(`namespaces "${values.namespace ?? 'default'}" not found`);
  switch (verb) {
    case 'get': {
      if (values.output !== 'json') throw new Error('only --output=json is known here');
      const [resources = '', name = null] = rest;
      return { do: 'get', kinds: resources.split(',').map(kindOf), name, labels: labelsIn(values.selector ?? '') };
    }
    case 'exec': {
      const [pod = '', ...command] = rest;
      return { do: 'exec', pod, container: values.container ?? null, command };
    }
    case 'delete': {
      const [resource = '', pod = ''] = rest;
      if (kindOf(resource) !== 'Pod') throw new Error('only pods are deleted here');
      const grace = values['grace-period'];
      return {
        do: 'delete',
        pod,
        graceSeconds: grace === undefined ? null : Number(grace),
        waits: values.wait !== 'false',
      };
    }
    case 'port-forward': {
      const [target = '', ports = ''] = rest;
      const [resource = '', name = ''] = target.split('/');
      const [local = NaN, port = NaN] = ports.split(':').map(Number);
      return { do: 'port-forward', kind: kindOf(resource), name, local, port };
    }
    default:
      throw new Error(`unknown command "${verb}" for "kubectl"`);
  }
}

/** @throws Error if there is no such resource here */
function kindOf(resource: string): string {
  const kind = KINDS[resource.replace(/s$/, '')];
  if (kind === undefined) throw new Error(`the server doesn't have a resource type "${resource}"`);
  return kind;
}

function labelsIn(selector: string): Labels {
  const pairs = selector.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}
