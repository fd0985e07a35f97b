import { execFileSync } from 'node:child_process';
import { chownSync, closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIZE = '256m';
const CHUNK = Buffer.alloc(2 ** 20);

/** A directory's own small file system, which can be filled. Needs root on Linux. */
export class SmallDisk {
  private isRemoved = false;

  private constructor(private readonly directory: string) {}

  /** Moves a directory, with what is in it and whose it is, to a file system of its own. Nobody may be at work there. */
  static under(directory: string): SmallDisk {
    const { uid, gid, mode } = statSync(directory);
    const aside = mkdtempSync(join(tmpdir(), 'hapg-small-disk-'));
    const copy = (from: string, to: string) => execFileSync('cp', ['-a', `${from}/.`, to]);
    try {
      copy(directory, aside);
      execFileSync('mount', [
        '-t',
        'tmpfs',
        '-o',
        `size=${SIZE},mode=${(mode & 0o7777).toString(8)}`,
        'tmpfs',
        directory,
      ]);
      copy(aside, directory);
      chownSync(directory, uid, gid);
    } finally {
      rmSync(aside, { recursive: true });
    }
    return new SmallDisk(directory);
  }

  /** Leaves no byte free. */
  fill(): void {
    const file = openSync(this.ballast, 'w');
    try {
      for (;;) writeSync(file, CHUNK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  makeSpace(): void {
    rmSync(this.ballast, { force: true });
  }

  /** Takes it away, with all that is on it; may be called again. */
  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    execFileSync('umount', ['--lazy', this.directory]);
  }

  private get ballast(): string {
    return join(this.directory, 'ballast');
  }
}
