import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { carryOut } from './deploy/carry-out';
import { commandLine } from './deploy/command-line';
import { shippedImages } from './deploy/images';
import { parsePlace, type Place } from './deploy/place';
import { revisionTag } from './deploy/revision';
import { LOADERS, parseValue, stepsOf, type Value } from './deploy/steps';
import { WORKSPACE_ROOT, onPath, programPath } from './programs';

interface Given {
  readonly release: string;
  readonly registry?: string;
  readonly context?: string;
  readonly tag?: string;
  readonly timeout: string;
  readonly dryRun: boolean;
}

const program = new Command('deploy')
  .description(
    'Builds the images, brings them to the Kubernetes cluster that kubectl leads to, installs or upgrades the chart, and waits until all is ready.',
  )
  .argument('<namespace>', 'where to; it is made if it is not there', parsed(readNamespace))
  .argument('[values...]', 'values of the chart: files, and settings as in db.clusterSize=5', collect(readValue), [])
  .option('--release <name>', "helm's name for it", 'ha-postgres')
  .option(
    '--registry <place>',
    'push the images there (HOST/PATH), from where the cluster pulls them; without: kind, minikube and k3d get them as files',
    parsed(readRegistry),
  )
  .option('--context <name>', 'of the kubeconfig; default: the current one')
  .option('--tag <tag>', 'tag of the images; default: version and commit, and what was changed since')
  .option('--timeout <duration>', 'how long to wait until all is ready', '10m')
  .option('--dry-run', 'print the commands instead', false)
  .action((namespace: string, values: readonly Value[], given: Given) => {
    deploy(namespace, values, given);
  });

try {
  program.parse();
} catch (error) {
  process.stderr.write(`deploy: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

function deploy(namespace: string, values: readonly Value[], given: Given): void {
  const { release, registry = null, timeout } = given;
  const place = placeOf(given.context);
  if (registry === null) requireLoader(place);
  const tag = given.tag ?? revisionTag(WORKSPACE_ROOT, versionHere());
  const images = shippedImages(tag, registry, process.env);
  const order = { namespace, release, place, registry, tag, images, values, timeout };
  const steps = stepsOf(order, { root: WORKSPACE_ROOT, helm: programPath('helm'), node: process.execPath });
  if (given.dryRun) {
    for (const step of steps) print(commandLine(step));
    return;
  }
  carryOut(steps, WORKSPACE_ROOT, print);
  print(
    `See it: tools/demo --kubernetes ${namespace}${given.context === undefined ? '' : ` --context ${given.context}`}`,
  );
}

function placeOf(context: string | undefined): Place {
  const args = [
    'config',
    'view',
    '--minify',
    '--output=json',
    ...(context === undefined ? [] : [`--context=${context}`]),
  ];
  try {
    return parsePlace(
      execFileSync(programPath('kubectl'), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  } catch (cause) {
    const words = (cause as { stderr?: string }).stderr?.trim() ?? (cause as Error).message;
    throw new Error(`could not see which cluster kubectl leads to: kubectl ${args.join(' ')}: ${words}`, { cause });
  }
}

/** @throws Error that says what is missing */
function requireLoader({ kind, context }: Place): void {
  const instead = 'or give --registry HOST/PATH, from where its machines can pull images';
  if (kind === 'other')
    throw new Error(
      `${context} is no cluster of kind, minikube or k3d, into which images can be put: choose one with --context, ${instead}`,
    );
  if (onPath(LOADERS[kind]) === null)
    throw new Error(`${LOADERS[kind]} is not on the PATH, which puts images into ${context}: install it, ${instead}`);
}

function versionHere(): string {
  return (JSON.parse(readFileSync(join(WORKSPACE_ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

function readNamespace(text: string): string {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text))
    throw new RangeError('a name of small letters, digits and -, 63 at most');
  return text;
}

function readRegistry(text: string): string {
  const registry = text.replace(/\/+$/, '');
  if (!/^[^\s:/]+(?::\d+)?(?:\/[^\s:]+)?$/.test(registry))
    throw new RangeError('HOST, HOST:PORT or HOST/PATH, without a scheme');
  return registry;
}

function readValue(text: string): Value {
  const value = parseValue(text, (name) => statSync(name, { throwIfNoEntry: false })?.isFile() === true);
  // The commands are run in the root of the workspace.
  return 'file' in value ? { file: resolve(value.file) } : value;
}

function parsed<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

function collect<T>(read: (text: string) => T): (text: string, before: readonly T[]) => readonly T[] {
  return (text, before) => [...before, parsed(read)(text)];
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
