import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './coded-error';
import { errors } from './errors';

function syncedWrite(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * Writes `value` as JSON so that after a crash at any moment the file holds either the old or the new value, and the
 * new one for certain once this has returned. For one writer: two at a time would share the temporary file.
 */
export function writeStateFile(path: string, value: unknown): void {
  const temporary = `${path}.new`;
  syncedWrite(temporary, `${JSON.stringify(value)}\n`);
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/**
 * Reads what `writeStateFile` wrote; null if there is no such file.
 * @throws CodedError HAPG_STATE_FILE_UNREADABLE if there is a file that cannot be read as JSON: what the node promised
 * is then unknown, which is not the same as nothing.
 */
export function readStateFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw errors.HAPG_STATE_FILE_UNREADABLE(`state file ${path} cannot be read`, { cause });
  }
}
