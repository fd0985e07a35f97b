// Writes docs/faults.md from tmp/fault-results; how it looks is e2e/src/faults/table.ts.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { format, resolveConfig } from 'prettier';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const results = join(root, 'tmp', 'fault-results');
const page = join(root, 'docs', 'faults.md');
if (process.argv.length > 2) {
  process.stderr.write('usage: tools/faults-table\n');
  process.exit(64);
}

const { outputFiles } = await build({
  stdin: {
    contents: `export { renderTable } from './table'; export { readResults } from './result';`,
    resolveDir: join(root, 'e2e', 'src', 'faults'),
  },
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
});
const { readResults, renderTable } = await import(
  `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`
);
const all = existsSync(results) ? readResults(results) : [];
const text = renderTable(all);
writeFileSync(page, await format(text, { ...(await resolveConfig(page)), parser: 'markdown' }));
process.stdout.write(`docs/faults.md: ${all.length} results\n`);
