import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errors } from '../errors';

/** The mount points that `/proc/self/mountinfo` lists: its fifth column, in which blanks and such stand as octal numbers. */
export function mountPointsIn(mountinfo: string): readonly string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const escaped = line.split(' ')[4];
    return escaped === undefined
      ? []
      : [escaped.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))];
  });
}

/**
 * A base backup takes the place of the data directory by two renames, which a mount point refuses: only when the whole backup has been
 * made, and again at each try. `directory` is a real path.
 * @throws CodedError of family configuration if it is one
 */
export function refuseMountPoint(directory: string): void {
  if (!isMountPoint(directory)) return;
  throw errors.HAPG_DATA_MOUNT_POINT(`${directory} is a mount point: set dataDir to a directory below it`);
}

function isMountPoint(directory: string): boolean {
  if (statSync(directory).dev !== statSync(dirname(directory)).dev) return true;
  // What is mounted may be a part of the very file system that it is mounted on.
  return mountPointsIn(mountinfo()).includes(directory);
}

/** Where there is no such file, as on macOS, the device alone tells. */
function mountinfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
