// Builds the image of one application, in its folder: `nx run APP:image`. What package.json says under nx.metadata.image
// names it, and what other applications' bundles come into it.
//
// IMAGE_PREFIX and IMAGE_TAG make the tag; CONTAINER_TOOL builds; NODE_IMAGE and POSTGRES_IMAGE are what it stands on, if
// not the official images.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCommand, containerTool, run } from './container-tool.mjs';
import { imageTag } from './image-names.mjs';
import { writeSbom } from './sbom.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const FOR_EVERY_IMAGE = ['LICENSE', 'deploy/docker/programs-sbom.mjs'];

try {
  const { version, nx } = JSON.parse(readFileSync('package.json', 'utf8'));
  const tag = build(nx.metadata.image, version);
  process.stdout.write(`${tag}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function build({ target, apps }, version) {
  const tool = containerTool();
  const tag = imageTag(target, version);
  const file = join(root, 'deploy', 'docker', 'Dockerfile');
  const buildArgs = { ...givenBases(), VERSION: version, ...revision() };
  run(tool, buildCommand(tool, { file, target, tag, buildArgs, context: contextOf(target, apps) }));
  return tag;
}

/** The folder of which the image is made: nothing else of the repository can get in. */
function contextOf(target, apps) {
  const context = join(root, 'tmp', 'images', target);
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context, { recursive: true });
  for (const file of FOR_EVERY_IMAGE) copyFileSync(join(root, file), join(context, basename(file)));
  for (const app of apps) {
    const bundle = join(context, `${app}.js`);
    copyFileSync(join(root, 'apps', app, 'dist', 'main.js'), bundle);
    chmodSync(bundle, 0o755);
    writeSbom(join(root, 'apps', app), join(context, `${app}.cdx.json`));
  }
  return context;
}

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
