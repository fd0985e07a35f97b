// Bundles an application to one self-contained file for each entry point (src/main.ts unless package.json names others).
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { version, nx } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = nx.metadata?.entries ?? ['main'];
const { metafile } = await build({
  entryPoints: entries.map((entry) => `src/${entry}.ts`),
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  conditions: ['@ha-postgres/source'],
  // pg's optional native driver is not used; leaving it out of the bundle keeps `require` from failing at build time.
  external: ['pg-native'],
  // axios wants it for forms, which nothing here sends; it would bring a table of all media types into memory.
  alias: { 'form-data': fileURLToPath(new URL('no-form-data.cjs', import.meta.url)) },
  define: { 'process.env.HA_POSTGRES_VERSION': JSON.stringify(version) },
  banner: { js: '#!/usr/bin/env node' },
  // Names stay: they stand in stack traces and metrics.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'warning',
});
// What the bundle is made of: tools/sbom.mjs makes the list of parts from it.
writeFileSync('dist/meta.json', JSON.stringify(metafile));
