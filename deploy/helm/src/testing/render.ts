import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';

export const CHART = join(__dirname, '..', '..', 'ha-postgres');

/** Values as a user gives them. */
export type Values = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [part: string]: unknown;
}

interface HelmRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs real helm; values go in by standard input. */
export function helm(args: readonly string[], values: Values = {}): HelmRun {
  const program = process.env.HELM ?? '';
  // Without the caller's own cluster: nothing here may be asked of it.
  const env = { ...process.env, KUBECONFIG: '/dev/null' };
  return spawnSync(program, [...args, '--values', '-'], {
    input: JSON.stringify(values),
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 26,
  });
}

/** The same without blocking this process, which may be the one that helm asks. */
export async function helmAsking(
  api: string,
  values: Values = {},
  template: readonly string[] = TEMPLATE,
): Promise<HelmRun> {
  const asking = ['--dry-run=server', '--disable-openapi-validation', '--kube-apiserver', api];
  const child = spawn(process.env.HELM ?? '', [...template, ...asking, '--values', '-'], {
    env: { ...process.env, KUBECONFIG: '/dev/null' },
  });
  child.stdin.end(JSON.stringify(values));
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

const TEMPLATE = ['template', 'trial', CHART, '--namespace', 'db'];

const rendered = new Map<string, readonly Manifest[]>();

/**
 * What `helm template` makes of the chart.
 * @throws Error with helm's own words if it refuses.
 */
export function render(values: Values = {}): readonly Manifest[] {
  const key = JSON.stringify(values);
  const known = rendered.get(key) ?? manifestsIn(helm(TEMPLATE, values));
  rendered.set(key, known);
  return known;
}

/** @throws Error with helm's own words if it failed, or wrote what is no YAML */
export function manifestsIn({ status, stdout, stderr }: HelmRun): readonly Manifest[] {
  if (status !== 0) throw new Error(`helm template: ${stderr}`);
  return parseAllDocuments(stdout).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`not YAML: ${document.errors[0]?.message ?? ''}`);
    const content = document.toJS() as Manifest | null;
    return content === null ? [] : [content];
  });
}

/** Why helm refuses the values, or null if it takes them. */
export function refusal(values: Values): string | null {
  const { status, stderr } = helm(TEMPLATE, values);
  return status === 0 ? null : stderr.replace(/\s+/g, ' ');
}

/** The one object of this kind and name. @throws Error if there is none */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

export const has = (manifests: readonly Manifest[], kind: string, name: string): boolean =>
  manifests.some((one) => one.kind === kind && one.metadata.name === name);
