import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { mustRun } from '@ha-postgres/pods';
import type { Values } from './installed-chart';

/** bookworm: PostgreSQL 15 and HAProxy 2.6; trixie: PostgreSQL 17 and HAProxy 3.0. */
const SUITES = ['trixie', 'bookworm'] as const;
export type Suite = (typeof SUITES)[number];

/** Both pairs of versions, unless PODS_ON names one. @throws Error if it names something else */
export function pairsToRun(wanted = process.env.PODS_ON ?? ''): readonly Suite[] {
  if (wanted === '') return SUITES;
  const found = SUITES.filter((suite) => suite === wanted);
  if (found.length === 0) throw new Error(`PODS_ON=${wanted}: one of ${SUITES.join(', ')}`);
  return found;
}

const PREFIX = 'localhost/ha-postgres-pods/';
const APPS = ['postgres-runner', 'db-controller', 'role-server', 'lb-syncer'];
const BUILD_MS = 600_000;
const BASES_MS = 900_000;

/** Values of the chart that name the images of this workspace, on stand-ins for the official ones, once they are built. */
export async function imagesOf(suite: Suite): Promise<Values> {
  const bases = await standIns(suite);
  const environment = { ...process.env, ...bases, CONTAINER_TOOL: 'podman', IMAGE_PREFIX: PREFIX, IMAGE_TAG: suite };
  const program = join(WORKSPACE_ROOT, 'tools', 'image.mjs');
  for (const app of APPS) {
    const cwd = join(WORKSPACE_ROOT, 'apps', app);
    await mustRun(process.execPath, [program], { cwd, environment, timeoutMs: BUILD_MS });
  }
  const { db, lb } = ownImages(suite);
  return {
    db,
    lb: { ...lb, haproxy: { image: bases.HAPROXY_IMAGE } },
    consul: { image: bases.CONSUL_IMAGE },
  };
}

/** Values that name the images of this workspace with a tag. */
export function ownImages(tag: string): { readonly db: Values; readonly lb: Values } {
  const image = (name: string): Values => ({ image: `${PREFIX}${name}:${tag}` });
  return {
    db: { postgres: image('ha-postgres'), controller: image('db-controller'), roleServer: image('role-server') },
    lb: { syncer: image('lb-syncer') },
  };
}

/** Gives the images of this workspace another tag beside theirs. */
export async function tagAgain(tag: string, another: string): Promise<void> {
  for (const name of ['ha-postgres', 'db-controller', 'role-server', 'lb-syncer'])
    await mustRun('podman', ['tag', `${PREFIX}${name}:${tag}`, `${PREFIX}${name}:${another}`]);
}

/** The stand-ins for the official images by the variables that name them; what is not there yet is made. */
export async function standIns(suite: Suite): Promise<Record<string, string>> {
  const environment = { ...process.env, CONTAINER_TOOL: 'podman' };
  const program = join(WORKSPACE_ROOT, 'tools', 'base-images');
  const settings = await mustRun(program, [suite], { environment, timeoutMs: BASES_MS });
  return Object.fromEntries([...settings.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}
