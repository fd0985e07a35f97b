import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

/** The root of the workspace: this file lies, as source and bundled, three folders below it. */
export const WORKSPACE_ROOT = resolve(__dirname, '..', '..', '..');

/** What is run. Tests replace programs by small stand-ins. */
export interface Programs {
  readonly consul: string;
  readonly haproxy: string;
  /** The directory of PostgreSQL's programs. */
  readonly postgresBin: string;
  /** The services, as scripts for Node. */
  readonly dbController: string;
  readonly roleServer: string;
  readonly postgresRunner: string;
  readonly lbSyncer: string;
}

/**
 * The programs of this machine and the services as built in this workspace.
 * @throws Error naming what is missing and what to do about it.
 */
export function installedPrograms(): Programs {
  const service = (app: string) => join(WORKSPACE_ROOT, 'apps', app, 'dist', 'main.js');
  const programs = {
    consul: onPath('consul'),
    haproxy: onPath('haproxy'),
    postgresBin: postgresBin(),
    dbController: service('db-controller'),
    roleServer: service('role-server'),
    postgresRunner: service('postgres-runner'),
    lbSyncer: service('lb-syncer'),
  };
  const missing = Object.values(programs).filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}; tools/setup installs and builds all of it`);
  return programs;
}

/** Where the `postgres` on the path really lies: a link to it may stand in a directory without the other programs. */
function postgresBin(): string {
  const postgres = onPath('postgres');
  return existsSync(postgres) ? dirname(realpathSync(postgres)) : postgres;
}

/** The full path of a program, or its bare name if it is nowhere on the path. */
export function onPath(program: string, path: string = process.env.PATH ?? ''): string {
  const places = [...path.split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'].filter((place) => place !== '');
  return places.map((place) => join(place, program)).find((file) => existsSync(file)) ?? program;
}
