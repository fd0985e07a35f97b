// Builds the image of one application, in its folder: `nx run APP:image`. What package.json says under nx.metadata.image
// names it, and what other applications' bundles come into it.
//
// IMAGE_PREFIX and IMAGE_TAG make the tag; CONTAINER_TOOL builds; NODE_IMAGE and POSTGRES_IMAGE are what it stands on, if
// not the official images.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCommand, containerTool, run } from './container-tool.mjs';
import { imageTag } from './image-names.mjs';
import { writeSbom } from './sbom.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version, nx } = JSON.parse(readFileSync('package.json', 'utf8'));
const { target, apps } = nx.metadata.image;
const context = join(root, 'tmp', 'images', target);

rmSync(context, { recursive: true, force: true });
mkdirSync(context, { recursive: true });
copyFileSync(join(root, 'LICENSE'), join(context, 'LICENSE'));
for (const app of apps) {
  const bundle = join(context, `${app}.js`);
  copyFileSync(join(root, 'apps', app, 'dist', 'main.js'), bundle);
  chmodSync(bundle, 0o755);
  writeSbom(join(root, 'apps', app), join(context, `${app}.cdx.json`));
}

const tool = containerTool();
const tag = imageTag(target, version);
run(
  tool,
  buildCommand(tool, {
    file: join(root, 'deploy', 'docker', 'Dockerfile'),
    target,
    tag,
    buildArgs: { ...givenBases(), VERSION: version, ...revision() },
    context,
  }),
);
process.stdout.write(`${tag}\n`);

function givenBases() {
  const names = ['NODE_IMAGE', 'POSTGRES_IMAGE'].filter((name) => (process.env[name] ?? '') !== '');
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** What was built: the commit and its time, so that the same sources make the same image. Outside of git: nothing is said. */
function revision() {
  try {
    const [hash, time] = git('log', '-1', '--format=%H %cI').split(' ');
    const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
    return { REVISION: isChanged ? `${hash}-changed` : hash, CREATED: time };
  } catch {
    return {};
  }
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
