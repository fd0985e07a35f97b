// What a bundle holds, as CycloneDX: of what esbuild put in, not of what is installed.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @throws Error if the application is not built. */
export function writeSbom(folder, file) {
  const metafile = join(folder, 'dist', 'meta.json');
  if (!existsSync(metafile)) throw new Error(`${metafile} is not there: build ${folder} first`);
  execFileSync(
    join(root, 'node_modules', '.bin', 'cyclonedx-esbuild'),
    [`--build-working-dir=${folder}`, '--output-reproducible', `--output-file=${file}`, metafile],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
}
