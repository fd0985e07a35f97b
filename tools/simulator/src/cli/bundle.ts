import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Mutation } from '../mutations/mutation';

/** A mutation whose place in the source is not there, or there twice: the list must follow the code. */
export class MutationMisplaced extends Error {}

/** Replaces the text of a mutation while its file is read; the files themselves stay as they are. */
function mutating({ name, edits }: Mutation, root: string): Plugin {
  return {
    name: 'mutation',
    setup: (build) => {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const own = edits.filter(({ file }) => join(root, file) === path);
        if (own.length === 0) return null;
        return {
          contents: own.reduce((text, edit) => mutated(name, text, edit), readFileSync(path, 'utf8')),
          loader: 'ts',
        };
      });
    },
  };
}

/** The source text with one edit of a mutation made. @throws MutationMisplaced */
export function mutated(name: string, text: string, { file, find, replace }: Mutation['edits'][number]): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new MutationMisplaced(`mutation "${name}": its text stands ${parts.length - 1} times in ${file}, not once`);
  return parts.join(replace);
}

/**
 * Bundles what a worker runs: the simulator with the code of controllers, runners and libraries, as it is or mutated.
 * @throws MutationMisplaced
 */
export async function bundleWorker(
  root: string,
  outfile: string,
  mutation: Mutation | null,
  entry = join(root, 'tools/simulator/src/worker.ts'),
): Promise<void> {
  // Also where a file is not part of the bundle any more.
  for (const edit of mutation?.edits ?? [])
    mutated(mutation?.name ?? '', readFileSync(join(root, edit.file), 'utf8'), edit);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    conditions: ['@ha-postgres/source'],
    external: ['pg-native'],
    minifySyntax: true,
    logLevel: 'error',
    plugins: mutation === null ? [] : [mutating(mutation, root)],
  });
}
