import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file's content in one step: a reader sees the old or the new text, never a part. */
export function replaceFile(path: string, text: string, mode = 0o644): void {
  const next = `${path}.new`;
  writeFileSync(next, text, { mode });
  renameSync(next, path);
}
