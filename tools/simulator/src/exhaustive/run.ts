import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorker } from '../cli/bundle';
import type { Shown } from '../cli/report-file';
import type { Configuration } from './configuration';
import { CONFIGURATIONS } from './configurations';
import type { Exploration } from './explore';
import type { Mutation } from './mutation';
import { LEASE_MUTATIONS } from './mutations';

export interface ExhaustiveOptions {
  /** Root of the repository, from whose sources everything is bundled. */
  readonly root: string;
  readonly print: (line: string) => void;
  /** Make each mistake of the list in the sources (or those whose names contain this), and find it. */
  readonly mutations?: string | boolean;
  /** Only the configuration of this name. */
  readonly only?: string;
  /** With mutations: tell also how each was found. */
  readonly trace?: boolean;
}

/**
 * Goes through every interleaving of the lease protocol, in several small configurations, by the code that runs in production.
 * @returns what was to be shown, and whether it was: no violation, or, with `mutations`, one for each.
 */
export async function runExhaustive(options: ExhaustiveOptions): Promise<readonly Shown[]> {
  const dist = join(options.root, 'tools', 'simulator', 'dist');
  mkdirSync(dist, { recursive: true });
  return options.mutations === undefined ? runConfigurations(options, dist) : runMutations(options, dist);
}

const workerIn = (root: string): string => join(root, 'tools/simulator/src/exhaustive/worker.ts');

async function runConfigurations({ root, print, only }: ExhaustiveOptions, dist: string): Promise<readonly Shown[]> {
  const bundle = join(dist, 'exhaustive-worker.cjs');
  await bundleWorker(root, bundle, null, workerIn(root));
  const shown: Shown[] = [];
  let [states, steps, milliseconds] = [0, 0, 0];
  for (const configuration of CONFIGURATIONS.filter(({ name }) => only === undefined || name === only)) {
    const exploration = await exploreIn(bundle, configuration.name);
    for (const line of linesOf(configuration, exploration)) print(line);
    states += exploration.states;
    steps += exploration.steps;
    milliseconds += exploration.cpuMilliseconds;
    shown.push({ what: `exhaustively: ${configuration.about}`, isShown: exploration.found === null });
  }
  print(`${states} states, ${steps} steps, ${seconds(milliseconds)} of one processor`);
  return shown;
}

function linesOf({ name, about }: Configuration, exploration: Exploration): string[] {
  const { states, steps, depth, isComplete, cpuMilliseconds, found } = exploration;
  const howFar = isComplete ? `all there are (depth ${depth})` : `all up to depth ${depth}`;
  const figures = `${states} states, ${howFar}; ${steps} steps; ${seconds(cpuMilliseconds)}`;
  return [`${name}: ${about}`, `  ${figures}`, ...(found === null ? [] : storyOf(found))];
}

export function storyOf({ what, path }: NonNullable<Exploration['found']>): string[] {
  const steps = path.map((line, i) => `  ${String(i + 1).padStart(3)}  ${line}`);
  return ['  a is Master of term 2; the others follow it', ...steps, `  VIOLATION: ${what}`];
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

async function runMutations(
  { root, print, mutations, trace }: ExhaustiveOptions,
  dist: string,
): Promise<readonly Shown[]> {
  const bundle = join(dist, 'exhaustive-mutated.cjs');
  const shown: Shown[] = [];
  for (const mutation of LEASE_MUTATIONS.filter(({ name }) => mutations === true || name.includes(String(mutations)))) {
    await bundleWorker(root, bundle, mutation, workerIn(root));
    const exploration = await exploreIn(bundle, mutation.configuration);
    print(verdictOn(mutation, exploration));
    if (trace === true && exploration.found !== null) for (const line of storyOf(exploration.found)) print(line);
    shown.push({ what: `finds exhaustively: ${mutation.name}`, isShown: exploration.found !== null });
  }
  print(`${shown.filter(({ isShown }) => isShown).length} of ${shown.length} mutations caught`);
  return shown;
}

function verdictOn({ name, configuration }: Mutation, { found, depth, states, cpuMilliseconds }: Exploration): string {
  const figures = `(${configuration}, ${states} states, ${seconds(cpuMilliseconds)})`;
  return found === null
    ? `MISSED  ${name}: nothing wrong up to depth ${depth} ${figures}`
    : `caught  ${name}: depth ${depth}, ${found.what} ${figures}`;
}

/** In a process of its own, whose memory is given back. @throws Error with what it wrote, if it did not come to an end */
function exploreIn(bundle: string, configuration: string): Promise<Exploration> {
  const child = spawn(process.execPath, ['--max-old-space-size=3000', bundle, configuration], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complained] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  child.stderr.on('data', (data: Buffer) => (complained += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(said) as Exploration);
      else reject(new Error(`the exploration of ${configuration} ended with ${code ?? 'a signal'}: ${complained}`));
    });
  });
}
