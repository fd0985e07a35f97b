import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { mustRun } from '@ha-postgres/pods';

/** bookworm: PostgreSQL 15 and HAProxy 2.6; trixie: PostgreSQL 17 and HAProxy 3.0. */
export type Suite = 'bookworm' | 'trixie';

const PREFIX = 'localhost/ha-postgres-pods/';
const APPS = ['postgres-runner', 'db-controller', 'role-server', 'lb-syncer'];

/** Values of the chart that name the images of this workspace, on stand-ins for the official ones, once they are built. */
export async function imagesOf(suite: Suite): Promise<Record<string, unknown>> {
  const bases = await standIns(suite);
  const environment = { ...process.env, ...bases, CONTAINER_TOOL: 'podman', IMAGE_PREFIX: PREFIX, IMAGE_TAG: suite };
  for (const app of APPS) {
    const cwd = join(WORKSPACE_ROOT, 'apps', app);
    await mustRun(process.execPath, [join(WORKSPACE_ROOT, 'tools', 'image.mjs')], {
      cwd,
      environment,
      timeoutMs: 600_000,
    });
  }
  const image = (name: string) => ({ image: `${PREFIX}${name}:${suite}` });
  return {
    db: { postgres: image('ha-postgres'), controller: image('db-controller'), roleServer: image('role-server') },
    lb: { haproxy: { image: bases.HAPROXY_IMAGE }, syncer: image('lb-syncer') },
    consul: { image: bases.CONSUL_IMAGE },
  };
}

/** Makes what is not there yet. */
async function standIns(suite: Suite): Promise<Record<string, string>> {
  const environment = { ...process.env, CONTAINER_TOOL: 'podman' };
  const settings = await mustRun(join(WORKSPACE_ROOT, 'tools', 'base-images'), [suite], {
    environment,
    timeoutMs: 900_000,
  });
  return Object.fromEntries([...settings.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}
