// Bundles the command line and runs it: it is TypeScript, and bundles the code that it explores.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const outfile = join(here, 'dist', 'exhaustive.cjs');
await build({
  entryPoints: [join(here, 'src', 'exhaustive', 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  conditions: ['@ha-postgres/source'],
  external: ['esbuild', 'pg-native'],
  logLevel: 'warning',
});
const { status, signal } = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(signal === null ? (status ?? 1) : 1);
