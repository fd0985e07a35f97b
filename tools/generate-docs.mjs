// Writes docs/config/<app>.md from what each built service says of its own options; `--check` only compares.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'docs', 'config');
const isCheck = process.argv[2] === '--check';
if (process.argv.length > (isCheck ? 3 : 2)) {
  process.stderr.write('usage: tools/generate-docs [--check]\n');
  process.exit(64);
}

const SOURCES_OF_SERVICES = [
  'A flag goes before the environment, that before the file given by `--config FILE` (YAML; the key of `--lease-duration`',
  'is `leaseDuration`), that before the default. A secret is never a flag: it comes from the variable, or from the file',
  'that the flag or the variable ending in `_FILE` names. `--check-config` prints what counts, and where each value is from.',
];
const apps = readdirSync(join(root, 'apps')).filter((app) => existsSync(join(root, 'apps', app, 'package.json')));
const pages = new Map(await Promise.all(apps.map(async (app) => [`${app}.md`, await pageOf(app)])));
const present = existsSync(target) ? readdirSync(target) : [];
const surplus = present.filter((name) => !pages.has(name));
const stale = [...pages.keys()].filter((name) => !present.includes(name) || read(name) !== pages.get(name));

if (isCheck) {
  for (const name of [...stale, ...surplus])
    process.stdout.write(`docs/config/${name} is out of date: run tools/generate-docs\n`);
  process.exitCode = stale.length + surplus.length > 0 ? 1 : 0;
} else {
  mkdirSync(target, { recursive: true });
  for (const name of surplus) rmSync(join(target, name));
  for (const name of stale) writeFileSync(join(target, name), pages.get(name));
  process.stdout.write(`${pages.size} pages in docs/config, ${stale.length} written, ${surplus.length} removed\n`);
}

function read(name) {
  return readFileSync(join(target, name), 'utf8');
}

async function pageOf(app) {
  const { description } = JSON.parse(readFileSync(join(root, 'apps', app, 'package.json'), 'utf8'));
  const main = join(root, 'apps', app, 'dist', 'main.js');
  const table = execFileSync(process.execPath, [main, '--print-options-markdown'], { encoding: 'utf8' });
  const page = [
    `<!-- Written by tools/generate-docs from the options of ${app}: change them there. -->`,
    '',
    `# Options of ${app}`,
    '',
    `${description}. See its [README](../../apps/${app}/README.md).`,
    '',
    ...(takesFile(main) ? SOURCES_OF_SERVICES : ['A flag goes before the environment, that before the default.']),
    ...(/consul/i.test(table)
      ? [
          'Consul itself is found by the variables of its own tools: `CONSUL_HTTP_ADDR`, `CONSUL_HTTP_TOKEN` and the others.',
        ]
      : []),
    '',
    safe(table),
  ].join('\n');
  return format(page, { ...(await resolveConfig(join(target, `${app}.md`))), parser: 'markdown' });
}

function takesFile(main) {
  return execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' }).includes('--config ');
}

/** Patterns become code, and `<name>` no HTML. */
function safe(table) {
  return table.replace(/matching (\S+?)(?=;? \||; )/g, 'matching `$1`').replace(/<(?=\w)/g, '\\<');
}
