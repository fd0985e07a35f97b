import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountUnder, unmountUnder, type OwnDisk } from './own-disk';

/** In a sparse file: it takes what is written to it. */
const SIZE = '1G';
/** Ends when its input does, also because this process was killed: nothing ends that writes to a disk which stays frozen. */
const FREEZE = 'fsfreeze --freeze "$0" || exit 1; echo frozen; cat >/dev/null; fsfreeze --unfreeze "$0"';

/**
 * A directory's own file system (ext4 in a file), which can be frozen: reading works, and whoever writes or syncs hangs in the
 * kernel, where no signal reaches him, until it is thawed. Needs root on Linux.
 */
export class FreezableDisk implements OwnDisk {
  private frozenBy: ChildProcess | null = null;
  isRemoved = false;

  private constructor(
    private readonly directory: string,
    private readonly imageDir: string,
  ) {}

  /** Moves a directory there. Nobody may be at work in it. */
  static under(directory: string): FreezableDisk {
    const imageDir = mkdtempSync(join(tmpdir(), 'hapg-freezable-disk-'));
    const image = join(imageDir, 'ext4');
    try {
      execFileSync('truncate', ['--size', SIZE, image]);
      execFileSync('mkfs.ext4', ['-q', '-F', image]);
      mountUnder(directory, () => {
        execFileSync('mount', ['-o', 'loop', image, directory]);
        rmSync(join(directory, 'lost+found'), { recursive: true });
      });
    } catch (error) {
      rmSync(imageDir, { recursive: true });
      throw error;
    }
    return new FreezableDisk(directory, imageDir);
  }

  async freeze(): Promise<void> {
    const child = spawn('sh', ['-c', FREEZE, this.directory], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    this.frozenBy = child;
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    if (!String(said).includes('frozen')) throw new Error(`fsfreeze ended with ${String(said)}`);
  }

  /** May be called again. */
  async thaw(): Promise<void> {
    const child = this.frozenBy;
    if (child === null) return;
    this.frozenBy = null;
    const ended = once(child, 'exit');
    child.stdin?.end();
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw new Error(`fsfreeze ended with ${code}`);
  }

  /** What was on it is left in the directory. It must not be frozen. */
  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    unmountUnder(this.directory);
    rmSync(this.imageDir, { recursive: true });
  }
}
