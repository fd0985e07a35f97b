import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { images } from '../src/tools';
import { podman } from './podman';

/** IMAGES_OF=bookworm: PostgreSQL 15 and HAProxy 2.6; else trixie: PostgreSQL 17 and HAProxy 3.0. */
export const RELEASE = process.env.IMAGES_OF ?? 'trixie';

/** The applications whose folders have an image, by its name. */
const APPS: Readonly<Record<string, string>> = { 'ha-postgres': 'postgres-runner' };

export interface Built {
  /** Tags of our images by their names. */
  readonly tags: Readonly<Record<string, string>>;
  /** The stand-ins for the official images: POSTGRES_IMAGE and the others. */
  readonly bases: Readonly<Record<string, string>>;
  /** What the images were built with. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Builds all images on stand-ins for the official ones, by the tools that everybody uses. What is built already is built
 * again in a moment.
 */
export function buildImages(): Built {
  const bases = standIns();
  const environment = {
    ...process.env,
    ...bases,
    NODE_IMAGE: likeTheOfficialNode(bases.NODE_IMAGE ?? ''),
    CONTAINER_TOOL: 'podman',
    IMAGE_PREFIX: 'localhost/ha-postgres-tests/',
    IMAGE_TAG: RELEASE,
  };
  const names = Object.keys(images());
  for (const name of names) {
    must(process.execPath, [join(WORKSPACE_ROOT, 'tools', 'image.mjs')], {
      cwd: join(WORKSPACE_ROOT, 'apps', APPS[name] ?? name),
      env: environment,
    });
  }
  const tags = Object.fromEntries(names.map((name) => [name, `${environment.IMAGE_PREFIX}${name}:${RELEASE}`]));
  return { tags, bases, environment };
}

/** Makes the stand-ins for the official images, if they are not there: POSTGRES_IMAGE and the others. */
export function standIns(): Record<string, string> {
  const settings = must(join(WORKSPACE_ROOT, 'tools', 'base-images'), [RELEASE], {
    env: { ...process.env, CONTAINER_TOOL: 'podman' },
  });
  return Object.fromEntries([...settings.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}

/** The stand-in with what installs packages where the official image has it: npm, npx, corepack, yarn. */
function likeTheOfficialNode(standIn: string): string {
  const tag = `localhost/ha-postgres-tests/node-with-npm:${RELEASE}`;
  const context = mkdtempSync(join(tmpdir(), 'node-with-npm-'));
  try {
    cpSync(join(__dirname, 'npm-as-in-the-official-image.sh'), join(context, 'install.sh'));
    writeFileSync(
      join(context, 'Dockerfile'),
      `FROM ${standIn}\nCOPY install.sh /\nRUN sh /install.sh && rm /install.sh\n`,
    );
    podman('build', '--quiet', `--tag=${tag}`, context);
  } finally {
    rmSync(context, { recursive: true });
  }
  return tag;
}

function must(command: string, args: readonly string[], options: { cwd?: string; env: NodeJS.ProcessEnv }): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}
