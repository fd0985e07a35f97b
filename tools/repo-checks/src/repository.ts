import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The repository's own folder. */
export const ROOT = resolve(__dirname, '../../..');

/** What .gitignore leaves out, and git's own. */
const LEFT_OUT = new Set(['.git', '.nx', 'node_modules', 'dist', 'tmp', 'coverage']);

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (LEFT_OUT.has(entry.name) || entry.name.endsWith('.tgz')) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}

/** Every file that belongs to the repository, as a path from its root. */
export const FILES: readonly string[] = walk('');

/** The text of a file; `path` counts from the root. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Whether a file with this path, or any below it, belongs to the repository. */
export function exists(path: string): boolean {
  return path === '' || FILES.some((file) => file === path || file.startsWith(`${path}/`));
}

export interface Place {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Every line of `files` that matches. */
export function linesWith(files: readonly string[], pattern: RegExp): Place[] {
  return files.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((text, at) => (pattern.test(text) ? [{ path, line: at + 1, text: text.trim() }] : [])),
  );
}
