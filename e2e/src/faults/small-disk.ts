import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { mountUnder, type OwnDisk } from './own-disk';

const SIZE = '256m';
const CHUNK = Buffer.alloc(2 ** 20);

/** A directory's own small file system, which can be filled. Needs root on Linux. */
export class SmallDisk implements OwnDisk {
  isRemoved = false;

  private constructor(private readonly directory: string) {}

  /** Moves a directory there. Nobody may be at work in it. */
  static under(directory: string): SmallDisk {
    mountUnder(directory, () => execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', directory]));
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

  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    execFileSync('umount', ['--lazy', this.directory]);
  }

  private get ballast(): string {
    return join(this.directory, 'ballast');
  }
}
