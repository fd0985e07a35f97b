// Runs one layer of a project's tests and leaves jest's JSON report where tools/test adds the counts up.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [layer, ...rest] = process.argv.slice(2);
const workspaceRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const { nx } = JSON.parse(readFileSync('package.json', 'utf8'));
const reports = join(workspaceRoot, 'tmp', 'test-results');
mkdirSync(reports, { recursive: true });
const result = spawnSync(
  process.execPath,
  [
    join(workspaceRoot, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--config=jest.config.cjs',
    '--json',
    `--outputFile=${join(reports, `${nx.name}.${layer}.json`)}`,
    ...rest,
  ],
  // jest prints its JSON to stdout as well when asked for --json without a terminal; the report file is what counts.
  { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, LAYER: layer } },
);
process.exit(result.status ?? 1);
