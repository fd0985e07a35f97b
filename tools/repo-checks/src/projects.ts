import { FILES, read } from './repository';

/** What of a project's package.json is judged here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly nx: {
    readonly name: string;
    readonly tags?: readonly string[];
    readonly targets?: Readonly<Record<string, unknown>>;
    readonly implicitDependencies?: readonly string[];
  };
}

export interface Project {
  /** From the root: `libs/lsn`. */
  readonly folder: string;
  readonly name: string;
  readonly kind: 'lib' | 'app' | 'other';
  readonly manifest: Manifest;
}

const KINDS: Readonly<Record<string, Project['kind']>> = { libs: 'lib', apps: 'app' };

/** All projects of the workspace: every folder with a package.json but the root. */
export const PROJECTS: readonly Project[] = FILES.flatMap((path) => {
  const folder = /^(.+)\/package\.json$/.exec(path)?.[1];
  if (folder === undefined) return [];
  const manifest = JSON.parse(read(path)) as Manifest;
  const kind = KINDS[folder.split('/')[0] ?? ''] ?? 'other';
  return [{ folder, name: manifest.nx.name, kind, manifest }];
});

export const LIBS = PROJECTS.filter(({ kind }) => kind === 'lib');
export const APPS = PROJECTS.filter(({ kind }) => kind === 'app');
