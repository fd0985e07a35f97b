import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** A mistake that is made in the real sources while they are bundled; the files themselves stay as they are. */
export interface Mutation {
  readonly name: string;
  /** Which exploration must find it. */
  readonly configuration: string;
  readonly edits: readonly Edit[];
}

/** `find` stands in `file` exactly once. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The text of a mutation is not there, or there twice: the list must follow the code. */
export class MutationMisplaced extends Error {}

export function mutated(name: string, text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new MutationMisplaced(`mutation "${name}": its text stands ${parts.length - 1} times in ${file}, not once`);
}

function mutating({ name, edits }: Mutation, root: string): Plugin {
  return {
    name: 'mutation',
    setup: (bundling) => {
      bundling.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const own = edits.filter(({ file }) => join(root, file) === path);
        if (own.length === 0) return null;
        const contents = own.reduce((text, edit) => mutated(name, text, edit), readFileSync(path, 'utf8'));
        return { contents, loader: 'ts' };
      });
    },
  };
}

/**
 * Bundles the exploration with the libraries' sources, as they are or mutated.
 * @throws MutationMisplaced
 */
export async function bundleWorker(root: string, outfile: string, mutation: Mutation | null): Promise<void> {
  // Also where a file is not part of the bundle any more.
  for (const edit of mutation?.edits ?? [])
    mutated(mutation?.name ?? '', readFileSync(join(root, edit.file), 'utf8'), edit);
  await build({
    entryPoints: [join(root, 'tools/simulator/src/exhaustive/worker.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    conditions: ['@ha-postgres/source'],
    external: ['pg-native'],
    logLevel: 'error',
    plugins: mutation === null ? [] : [mutating(mutation, root)],
  });
}
