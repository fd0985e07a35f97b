import { statfsSync } from 'node:fs';

/** Bytes that are left to PostgreSQL's account on the file system of a directory. */
export type FreeBytes = (directory: string) => number;

export const freeBytesOf: FreeBytes = (directory) => {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
};

/** Something that is not begun, or is given up, before it fills the disk. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

/** Left free for what the system and PostgreSQL write meanwhile: two segments of WAL. */
const SPARE_BYTES = 32 * 2 ** 20;

/** Why there is no room for `needed` more bytes, with the numbers; null: there is. */
export function roomProblem(what: string, directory: string, needed: number, free: number): string | null {
  if (free >= needed + SPARE_BYTES) return null;
  return `${what} needs ${megabytes(needed)} more (and ${megabytes(SPARE_BYTES)} to spare), but the file system of ${directory} has ${megabytes(free)} free`;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
