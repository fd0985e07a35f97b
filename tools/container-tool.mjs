// The program that builds and runs containers: CONTAINER_TOOL (docker, podman or buildah), or the first that works here.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const TOOLS = {
  podman: ['--version'],
  // The program alone is of no use without its daemon.
  docker: ['info'],
  buildah: ['--version'],
};

/** What podman and buildah ask for by default: the most files that a process may have open. */
const FILES_WANTED = 1_048_576;

/** @throws Error if CONTAINER_TOOL is none of those known, or none of them works here. */
export function containerTool(environment = process.env) {
  const wanted = environment.CONTAINER_TOOL;
  if (wanted !== undefined && wanted !== '') {
    if (!Object.hasOwn(TOOLS, wanted))
      throw new Error(`CONTAINER_TOOL=${wanted}: one of ${Object.keys(TOOLS).join(', ')}`);
    return wanted;
  }
  const found = Object.keys(TOOLS).find((tool) => works(tool));
  if (found === undefined) throw new Error('no podman, no docker with its daemon, and no buildah is here');
  return found;
}

function works(tool) {
  return spawnSync(tool, TOOLS[tool], { stdio: 'ignore' }).status === 0;
}

/**
 * The environment for a container tool. For podman and buildah: where a process may not open as many files as podman wants to allow (in many
 * virtual machines), podman starts nothing: a configuration of ours then lets containers have the limits that there are. They are named:
 * without any, building by podman 5 wants its own again.
 */
export function containerEnvironment(tool, environment = process.env) {
  // Without BuildKit docker builds every stage above the one that is wanted, whose bundles are not in the context.
  if (tool === 'docker') return { DOCKER_BUILDKIT: '1', ...environment };
  if (environment.CONTAINERS_CONF !== undefined || hardLimit('Max open files') >= FILES_WANTED) return environment;
  const folder = join(root, 'tmp');
  const file = join(folder, 'containers.conf');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `[containers]\ndefault_ulimits = ${JSON.stringify(limitsHere())}\n`);
  return { ...environment, CONTAINERS_CONF: file };
}

/** The limits that podman would raise, as its configuration names them. Itself it takes no more processes than there are numbers for. */
function limitsHere() {
  const numbers = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
  const processes = Math.min(hardLimit('Max processes'), numbers);
  const files = hardLimit('Max open files');
  return [`nofile=${files}:${files}`, `nproc=${processes}:${processes}`];
}

/** The most of something that this process may have. */
function hardLimit(name) {
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(name));
  const hard = line?.slice(name.length).trim().split(/\s+/)[1];
  return hard === undefined || hard === 'unlimited' ? Infinity : Number(hard);
}

/** The command line that builds one target of a Dockerfile. */
export function buildCommand(tool, { file, target, tag, buildArgs, context }) {
  return [
    'build',
    ...(tool === 'buildah' ? ['--layers'] : []),
    `--file=${file}`,
    `--target=${target}`,
    `--tag=${tag}`,
    ...Object.entries(buildArgs).map(([name, value]) => `--build-arg=${name}=${value}`),
    context,
  ];
}

/**
 * The command line that writes images to one file, as Kubernetes' own tools read it.
 * @throws Error for buildah, which writes one image to a file only.
 */
export function saveCommand(tool, archive, tags) {
  if (tool === 'docker') return ['save', `--output=${archive}`, ...tags];
  if (tool === 'podman') return ['save', '--multi-image-archive', `--output=${archive}`, ...tags];
  throw new Error(`${tool} writes one image only to a file: take CONTAINER_TOOL=podman or docker, or a registry`);
}

/** Runs the tool; its output goes where this program's goes, or is returned. @throws Error if it fails. */
export function run(tool, args, { capture = false } = {}) {
  const { status, stdout, error } = spawnSync(tool, args, {
    encoding: 'utf8',
    env: containerEnvironment(tool),
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
  });
  if (error !== undefined) throw new Error(`${tool} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`${tool} ${args[0]} … failed (${status})`);
  return stdout ?? '';
}

/** Whether an image of that name is on this machine. */
export function exists(tool, tag) {
  const args = tool === 'buildah' ? ['inspect', '--type=image', tag] : ['image', 'inspect', tag];
  return spawnSync(tool, args, { stdio: 'ignore', env: containerEnvironment(tool) }).status === 0;
}
